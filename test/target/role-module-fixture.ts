/** A role under test that is a module: the reference's switch and backend, made as anybody's would be; `PRISM_TEST_BREAK` breaks the switch. */

import { backendConfig, switchConfig } from '../../harness/roles.js';
import type { RoleInstance, RoleStart } from '../../harness/target/role-module.js';
import { initBackend, openServices, stepBackend } from '../../reference-impl/backend/backend.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { initSwitch, stepSwitch } from '../../reference-impl/switch/switch.js';

export function createRole(start: RoleStart): RoleInstance {
  const { name, topology, policy, seed, ruleCapacity, serviceDelayMs, objects } = start;
  const broken = process.env.PRISM_TEST_BREAK === 'yes';
  const without = broken ? (['window-closing'] as const) : [];
  const options = { seed, without, policy, faults: [], ruleCapacity, serviceDelayMs };
  if (name === 'switch') {
    let { state } = initSwitch(switchConfig(topology, options));
    return {
      initial: [],
      held: () => state.rules.size,
      step(input, now): readonly RoleOutput[] {
        const stepped = stepSwitch(state, input, now);
        state = stepped.state;
        return stepped.outputs;
      },
    };
  }
  let { state } = initBackend(backendConfig(topology, options, name, objects));
  return {
    initial: [],
    held: () => openServices(state),
    step(input, now): readonly RoleOutput[] {
      const stepped = stepBackend(state, input, now);
      state = stepped.state;
      return stepped.outputs;
    },
  };
}
