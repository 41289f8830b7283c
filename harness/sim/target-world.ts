/** The simulated world with modules of a target in the place of the reference's cores. */

import type { RoleKind } from '../target/placeholders.js';
import { instantiate, loadRoleModule, type RoleModule } from '../target/role-module.js';
import type { RolesUnderTest } from '../target/target.js';
import type { Topology } from '../topology.js';
import { WorldError, type WorldFactory, type WorldOptions } from '../world.js';
import { referenceRoles, type SimRole, type SimRoles, SimWorld } from './world.js';

async function moduleOf(roles: RolesUnderTest, kind: RoleKind): Promise<RoleModule | undefined> {
  const role = roles[kind];
  if (role?.kind === 'process')
    throw new WorldError(`the ${kind} under test is a program: it runs in the Linux world only`);
  return role?.kind === 'module' ? loadRoleModule(role.file) : undefined;
}

function simRole(module: RoleModule, name: string, topology: Topology, options: WorldOptions): SimRole {
  const { initial, step, held } = instantiate(module, name, topology, options);
  return { initial, feed: step, held };
}

/** Roles of the options' target that are modules, and the reference's for the rest. Rejects with a WorldError when a module cannot be had. */
async function simRoles(roles: RolesUnderTest): Promise<SimRoles> {
  const [fabric, controller, backend] = await Promise.all([
    moduleOf(roles, 'switch'),
    moduleOf(roles, 'controller'),
    moduleOf(roles, 'backend'),
  ]);
  return {
    fabric: fabric ? (topology, options) => simRole(fabric, 'switch', topology, options) : referenceRoles.fabric,
    controller: controller
      ? (topology, options) => simRole(controller, 'controller', topology, options)
      : referenceRoles.controller,
    backend: backend ? (topology, options, name) => simRole(backend, name, topology, options) : referenceRoles.backend,
  };
}

/** A simulated world in which the target that the options name plays. */
export const createTargetWorld: WorldFactory = async (folder, options) =>
  new SimWorld(folder, options, await simRoles(options.target?.roles ?? {}));
