/** The eBPF switch as a program of its own, told what `prism role switch` is told. */

import { RunningRole } from '../../harness/linux/role-runtime.js';
import { type StandaloneRole, standaloneOptions, standaloneRim } from '../../harness/linux/standalone-role.js';
import { switchConfig } from '../../harness/roles.js';
import { initSwitch } from '../../reference-impl/switch/switch.js';
import { EtherType } from '../../reference-impl/wire/ethernet.js';
import { stepAgent } from './agent.js';
import { switchObject } from './build.js';
import { DataPlane, portIndexes } from './data-plane.js';

/** Resolves, when the program is in front of every interface and the agent listens, to what takes it away again. Rejects (WorldError) saying what is missing. */
export async function runEbpfSwitch(role: StandaloneRole): Promise<() => void> {
  const { topology, options } = standaloneOptions(role);
  const config = switchConfig(topology, options);
  const rim = { ...standaloneRim(role), behindTc: [EtherType.ARP, EtherType.IPV4] };
  const plane = new DataPlane(await switchObject(), config, portIndexes(rim.ports));
  try {
    const initial = initSwitch(config);
    plane.follow({ rules: initial.state.rules, neighbours: new Map() }, initial.state);
    const agent = new RunningRole({ initial, step: stepAgent(plane), idle: ({ rules }) => rules.size === 0 }, rim);
    plane.attach(Object.values(rim.ports));
    await agent.start();
    return () => {
      agent.stop();
      plane.close();
    };
  } catch (error) {
    plane.close();
    throw error;
  }
}
