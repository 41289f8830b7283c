/**
 * All that can happen in a state of the explored world: the network and the control connections do whatever the specification's bounds allow, timers fire
 * when they may. Every transition bears the names of the specification's actions that it must be.
 */
import type { Micros, RoleEvent } from '../../reference-impl/core/core.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { findTcpOption } from '../../reference-impl/wire/tcp.js';
import type { Token } from '../graph/values.js';
import {
  abort,
  type ClientStep,
  clientActs,
  clientReceives,
  close,
  mayCloseEarly,
  repeats,
  vanished,
} from './client.js';
import { connectionOf, fullTable, type Outcome, serviceOf } from './roles.js';
import {
  BACKENDS,
  type BackendName,
  backendOfLink,
  EVENT_COST,
  linkOf,
  type Misfortune,
  REQUESTS,
} from './scenario.js';
import {
  type ControlLink,
  CRASHED,
  type FlyingFrame,
  type FlyingMessage,
  type FrameId,
  type History,
  type Host,
  type MessageId,
  type Net,
  type Packed,
} from './state.js';
import type { Parts, World } from './world.js';

/** Said when somebody asks: most are never read. */
export type Words = string | (() => string);

export interface Transition {
  /** What happens, in words. */
  readonly label: Words;
  /**
   * The specification's actions that it must be, in this order: one as a rule, none for a stutter, more where a core does at one go what the
   * specification does in steps. `receive` stands for any action by which the controller takes a segment.
   */
  readonly actions: readonly string[];
  readonly next: Packed;
  /** The time after it. */
  readonly now: Micros;
  readonly events: readonly RoleEvent[];
}

/** The actions by which the controller takes a segment. */
export const RECEIVING: readonly string[] = [
  'AcceptSyn',
  'ReceiveRequest',
  'RefuseRequest',
  'ClientFin',
  'ClientReset',
  'ControllerReceive',
];
const HEARING: readonly string[] = [
  'HandOff',
  'RuleRefused',
  'TakeBack',
  'BackendFailed',
  'ReopenWindow',
  'ResetClient',
  'Forget',
  'ControlRejected',
];

/** Throws NoCounterpart for a frame in flight that is no segment of the specification's. */
export function transitions(world: World, packed: Packed): Transition[] {
  return new Moves(world, packed).all();
}

/** One state's transitions. */
class Moves {
  readonly #world: World;
  readonly #now: Parts;
  readonly #moves: Transition[] = [];

  constructor(world: World, packed: Packed) {
    this.#world = world;
    this.#now = world.unpack(packed);
  }

  all(): Transition[] {
    this.#client();
    this.#network();
    this.#controlMessages();
    this.#timers();
    this.#misfortunes();
    return this.#moves;
  }

  // --- the client --------------------------------------------------------------------------------------------------------

  #client(): void {
    const { client } = this.#now;
    for (const { action, step } of clientActs(client)) {
      const units = step.sent[0]?.data.length;
      this.#move(
        () => (units ? `the client sends ${units} units` : `the client: ${action}`),
        [action],
        0,
        (draft) => this.#clientStep(draft, step),
      );
    }
    if (mayCloseEarly(client))
      this.#unlucky('close', 'the client closes', ['ClientClose'], (draft) => this.#clientStep(draft, close(client)));
    if (client.st === 'established')
      this.#unlucky('abort', 'the client aborts', ['ClientAbort'], (draft) => this.#clientStep(draft, abort(client)));
  }

  #clientStep(draft: Parts, step: ClientStep): void {
    draft.client = step.client;
    for (const segment of step.sent)
      draft.net = onto(draft.net, 'up', 'client', this.#world.frameOf(segment, step.client, draft.history));
  }

  // --- the network -------------------------------------------------------------------------------------------------------

  /** Heads of links and late frames; a head that is equal to a late frame is that (`Without` in Handoff.tla). */
  #arriving(side: 'up' | 'down', hosts: readonly Host[]): { id: FrameId; late: boolean }[] {
    const { net } = this.#now;
    const heads = hosts.flatMap((host) => {
      const [head] = net[side][host];
      return head === undefined || this.#isLate(head) ? [] : [{ id: head, late: false }];
    });
    const at = side === 'up' ? 'fabric' : 'host';
    const late = net.late.filter((id) => {
      const frame = this.#frame(id);
      return frame.at === at && hosts.includes(frame.link);
    });
    return [...heads, ...late.map((id) => ({ id, late: true }))];
  }

  #isLate(id: FrameId): boolean {
    const { net } = this.#now;
    return net.late.some((late) => late === id || this.#token(late) === this.#token(id));
  }

  #token(id: FrameId): Token {
    const { client, history } = this.#now;
    return this.#world.abstraction.frame(id, this.#world.abstraction.layout(client, history));
  }

  #frame(id: FrameId): FlyingFrame {
    return this.#world.pools.frames.value(id);
  }

  #network(): void {
    for (const { id, late } of this.#arriving('up', ['client', 'b1', 'b2']))
      this.#move(
        () => `the switch gets ${this.#what(id)}`,
        ['Forward'],
        0,
        (draft) => {
          draft.net = without(draft.net, id, late, 'up', this.#frame(id).link);
          this.#forward(draft, id);
        },
      );
    for (const { id, late } of this.#arriving('down', ['client']))
      this.#move(
        () => `the client gets ${this.#what(id)}`,
        ['ClientReceive'],
        0,
        (draft) => {
          draft.net = without(draft.net, id, late, 'down', 'client');
          const { client, history } = draft;
          const segment = this.#world.abstraction.segment(id, this.#world.abstraction.layout(client, history));
          this.#clientStep(draft, clientReceives(client, segment));
        },
      );
    for (const { id, late } of this.#arriving('down', ['logical'])) this.#controllerGets(id, late);
    for (const name of BACKENDS)
      for (const { id, late } of this.#arriving('down', [name]))
        this.#moveBy(
          () => `${name} gets ${this.#what(id)}`,
          (draft) => {
            draft.net = without(draft.net, id, late, 'down', name);
            if (draft[name] === CRASHED) return { actions: ['BackendReceive'], events: [] };
            const outcome = this.#world.roles.backends[name].input(draft[name], `f${id}`, {
              kind: 'frame',
              port: 'link',
              bytes: this.#frame(id).bytes,
            });
            this.#backendStep(draft, name, outcome);
            return { actions: ['BackendReceive', ...completed(outcome)], events: outcome.events };
          },
        );
  }

  #controllerGets(id: FrameId, late: boolean): void {
    const { controller, history } = this.#now;
    const tcp = parsedTcp(this.#frame(id).bytes);
    const known = connectionOf(this.#world.roles.controller.state(controller)) !== undefined;
    // The client's port used again: another connection, which the specification does not have.
    if (tcp?.syn && history.accepted && !known) return;
    this.#moveBy(
      () => `the controller gets ${this.#what(id)}`,
      (draft) => {
        draft.net = without(draft.net, id, late, 'down', 'logical');
        const before = connectionOf(this.#world.roles.controller.state(draft.controller));
        const outcome = this.#world.roles.controller.input(draft.controller, `f${id}`, {
          kind: 'frame',
          port: 'link',
          bytes: this.#frame(id).bytes,
        });
        const after = connectionOf(this.#world.roles.controller.state(outcome.next));
        if ((after?.held.length ?? 0) > (before?.held.length ?? 0)) {
          this.#controllerStep(draft, outcome);
          draft.net = { ...draft.net, held: [...draft.net.held, { frame: id, late }] };
          return { actions: [], events: outcome.events };
        }
        this.#controllerStep(draft, outcome);
        const named = outcome.events.map(({ action }) => action).find((action) => RECEIVING.includes(action));
        return { actions: [named ?? 'ControllerReceive'], events: outcome.events };
      },
    );
  }

  /** The switch takes a frame from a host's link and puts what comes out on the links beyond. */
  #forward(draft: Parts, id: FrameId): RoleEvent[] {
    const frame = this.#frame(id);
    const outcome = this.#world.roles.switch.input(draft.switch, `${linkOf(frame.link)} f${id}`, {
      kind: 'frame',
      port: linkOf(frame.link),
      bytes: frame.bytes,
    });
    draft.switch = outcome.next;
    for (const { port, bytes } of outcome.frames) {
      const link = hostOf(port);
      const via = frame.by !== 'logical' && rewritten(frame.bytes, bytes) ? draft.history.rule : 0;
      draft.net = onto(draft.net, 'down', link, this.#fly({ ...frame, bytes, at: 'host', link, via }));
    }
    return [...outcome.events];
  }

  #fly(frame: FlyingFrame): FrameId {
    return this.#world.pools.frames.id(frame);
  }

  // --- the roles ---------------------------------------------------------------------------------------------------------

  #controllerStep(draft: Parts, outcome: Outcome): void {
    const { controller } = this.#world.roles;
    const before = connectionOf(controller.state(draft.controller));
    const after = connectionOf(controller.state(outcome.next));
    const silent = (kind: string | undefined): boolean => kind === 'handed-off' || kind === 'removing';
    const owned = !(silent(before?.phase.kind) && silent(after?.phase.kind));
    draft.controller = outcome.next;
    for (const event of outcome.events) draft.history = remembered(draft.history, event);
    this.#learn(outcome);
    for (const { bytes } of outcome.frames) {
      const tcp = parsedTcp(bytes);
      if (tcp?.rst) draft.history = { ...draft.history, decided: true };
      if (tcp?.fin) draft.history = { ...draft.history, serverFin: seqAdd(tcp.seq, tcp.payload.length) };
      // No rule is about the controller's own segments: they are beyond the switch at once.
      this.#forward(draft, this.#fly({ bytes, at: 'fabric', link: 'logical', by: 'logical', owned, via: 0 }));
    }
    for (const { peer, message } of outcome.control) {
      const backend = backendOfLink(peer);
      const link: ControlLink = backend === undefined ? 'toSwitch' : `to ${backend}`;
      // A hand-off that is said again, because its answer is slow, is nothing new to the specification.
      const again = message.verb === 'handoff' && before?.phase.kind === 'handed-off';
      const type =
        !again && (message.verb === 'add' || message.verb === 'remove' || message.verb === 'handoff')
          ? message.verb
          : 'answer';
      const una = message.verb === 'handoff' ? (after?.endpoint.sndUna ?? null) : null;
      this.#say(draft, link, { type, message, peer: backend ?? null, handoff: draft.history.req, una, copy: false });
    }
  }

  #learn(outcome: Outcome): void {
    if (!outcome.events.some(({ action }) => action === 'AcceptSyn')) return;
    const [synAck] = outcome.frames;
    const tcp = synAck && parsedTcp(synAck.bytes);
    if (tcp) this.#world.abstraction.learn(tcp.seq, findTcpOption(tcp.options, 'timestamps')?.value ?? 0);
  }

  #backendStep(draft: Parts, name: BackendName, outcome: Outcome): void {
    const role = this.#world.roles.backends[name];
    const before = serviceOf(role.state(draft[name]));
    const after = serviceOf(role.state(outcome.next));
    const owned = [before, after].some((service) => service !== undefined && service.phase !== 'reporting');
    draft[name] = outcome.next;
    for (const event of outcome.events) {
      const { action, handoff } = event;
      const { history } = draft;
      if (action === 'Respond') draft.history = { ...history, served: [...history.served, Number(handoff)] };
      if (action === 'TakeOver') draft.history = { ...history, report: { ...history.report, [name]: 'none' } };
      if (action === 'Complete' || action === 'Fail')
        draft.history = {
          ...history,
          report: { ...history.report, [name]: action === 'Complete' ? 'complete' : 'failed' },
          last: { ...history.last, [name]: Number(handoff) },
        };
    }
    for (const { bytes } of outcome.frames)
      draft.net = onto(draft.net, 'up', name, this.#fly({ bytes, at: 'fabric', link: name, by: name, owned, via: 0 }));
    for (const { message } of outcome.control) {
      const report = message.verb === 'complete' || message.verb === 'failed';
      this.#say(draft, `from ${name}`, {
        type: report ? message.verb : 'answer',
        message,
        peer: name,
        handoff: report ? message.handoff : 0,
        una: report ? (after?.endpoint.sndUna ?? null) : null,
        copy: false,
      });
    }
  }

  #say(draft: Parts, link: ControlLink, message: FlyingMessage): void {
    const id = this.#world.pools.messages.id(message);
    draft.control = { ...draft.control, [link]: [...draft.control[link], id] };
  }

  // --- control messages --------------------------------------------------------------------------------------------------

  #message(id: MessageId): FlyingMessage {
    return this.#world.pools.messages.value(id);
  }

  #controlMessages(): void {
    const { control } = this.#now;
    const [toSwitch] = control.toSwitch;
    if (toSwitch !== undefined) this.#switchHears(toSwitch, 0, false);
    for (const link of ['fromSwitch', 'from b1', 'from b2'] as const) {
      const [head] = control[link];
      if (head !== undefined) this.#controllerHears(link, head);
    }
    for (const name of BACKENDS) {
      const [head] = control[`to ${name}`];
      if (head !== undefined) this.#backendHears(name, head);
    }
  }

  #switchHears(id: MessageId, cost: number, full: boolean): void {
    const { message, handoff } = this.#message(id);
    if (message.verb !== 'add' && message.verb !== 'remove') return;
    const { verb } = message;
    this.#moveBy(
      () => (full ? 'the switch refuses the rule' : `the switch hears ${verb} of hand-off ${handoff}`),
      (draft) => {
        draft.control = { ...draft.control, toSwitch: draft.control.toSwitch.slice(1) };
        const role = this.#world.roles.switch;
        const input = { kind: 'control', peer: 'controller', message } as const;
        const outcome = full
          ? role.inputWith(draft.switch, `m${id} full`, fullTable, input)
          : role.input(draft.switch, `m${id}`, input);
        draft.switch = outcome.next;
        const answers = outcome.control.map(({ message: answer }) => answer);
        const refused = answers.some((answer) => answer.verb === 'refused');
        const { history } = draft;
        const present = role.state(draft.switch).rules.size > 0;
        draft.history = {
          ...history,
          done: verb === 'remove' || refused ? Math.max(history.done, handoff) : history.done,
          rule: !present ? 0 : verb === 'add' && !refused ? handoff : history.rule,
        };
        for (const answer of answers)
          this.#say(draft, 'fromSwitch', {
            type: verb === 'remove' ? 'removed' : refused ? 'refused' : 'added',
            message: answer,
            peer: null,
            handoff,
            una: null,
            copy: false,
          });
        const action = verb === 'remove' ? 'SwitchRemoveRule' : full ? 'SwitchRefuseRule' : 'SwitchAddRule';
        return { actions: [action], events: outcome.events };
      },
      cost,
    );
  }

  #controllerHears(link: 'fromSwitch' | 'from b1' | 'from b2', id: MessageId): void {
    const { message, type, handoff } = this.#message(id);
    this.#moveBy(
      () => `the controller hears ${type} of hand-off ${handoff}`,
      (draft) => {
        const held = draft.net.held.length;
        const before = connectionOf(this.#world.roles.controller.state(draft.controller));
        const events: RoleEvent[] = [];
        // What is said twice is one message to the specification.
        while (draft.control[link][0] === id) {
          draft.control = { ...draft.control, [link]: draft.control[link].slice(1) };
          const outcome = this.#world.roles.controller.input(draft.controller, `${link} m${id}`, {
            kind: 'control',
            peer: link === 'fromSwitch' ? 'switch' : linkOf(link.slice(5)),
            message,
          });
          this.#controllerStep(draft, outcome);
          events.push(...outcome.events);
        }
        const after = connectionOf(this.#world.roles.controller.state(draft.controller));
        const released = held > 0 && before?.phase.kind === 'removing' && (after?.held.length ?? 0) === 0;
        if (released) draft.net = { ...draft.net, held: [] };
        if (type === 'answer') return { actions: [], events };
        const named = events.map(({ action }) => action).find((action) => HEARING.includes(action));
        return {
          actions: [named ?? 'ControlRejected', ...(released ? Array<string>(held).fill('receive') : [])],
          events,
        };
      },
    );
  }

  #backendHears(name: BackendName, id: MessageId): void {
    const { message, type, handoff } = this.#message(id);
    this.#moveBy(
      () => `${name} hears ${type} of hand-off ${handoff}`,
      (draft) => {
        const link: ControlLink = `to ${name}`;
        draft.control = { ...draft.control, [link]: draft.control[link].slice(1) };
        const rejected = type === 'answer' ? [] : ['ControlRejected'];
        if (draft[name] === CRASHED) return { actions: rejected, events: [] };
        const outcome = this.#world.roles.backends[name].input(draft[name], `m${id}`, {
          kind: 'control',
          peer: 'controller',
          message,
        });
        this.#backendStep(draft, name, outcome);
        const taken = outcome.events.some(({ action }) => action === 'TakeOver');
        return { actions: taken ? ['TakeOver', ...completed(outcome)] : rejected, events: outcome.events };
      },
    );
  }

  // --- timers ------------------------------------------------------------------------------------------------------------

  #onItsWay(types: readonly FlyingMessage['type'][], handoff: number): boolean {
    const { control } = this.#now;
    return Object.values(control)
      .flat()
      .map((id) => this.#message(id))
      .some((message) => message.handoff === handoff && types.includes(message.type));
  }

  get #quiet(): boolean {
    const { up, down, late, held } = this.#now.net;
    return (
      late.length === 0 &&
      held.length === 0 &&
      [up, down].every((side) => Object.values(side).every((link) => link.length === 0))
    );
  }

  #serving(name: string): boolean {
    if (name !== 'b1' && name !== 'b2') return false;
    const id = this.#now[name];
    const service = id === CRASHED ? undefined : serviceOf(this.#world.roles.backends[name].state(id));
    return service !== undefined && service.phase !== 'reporting' && service.handoff === this.#now.history.req;
  }

  #timers(): void {
    const { controller, client, history } = this.#now;
    const role = this.#world.roles.controller;
    const connection = connectionOf(role.state(controller));
    const due = role.due(controller);
    const { req } = history;
    connection?.calls.forEach((call, i) => {
      const { verb } = call.message;
      if (verb !== 'add' && verb !== 'remove') return;
      if (!this.#onItsWay(['add', 'added', 'refused', 'remove', 'removed'], req))
        this.#move(
          () => `the controller repeats ${verb}`,
          ['RepeatRequest'],
          0,
          (draft) => this.#controllerStep(draft, role.fire(draft.controller, `call${i}`)),
        );
    });
    if (due.includes('deadline')) {
      const backend = REQUESTS[req - 1]?.backend ?? 'none';
      const gone = !this.#serving(backend) && !this.#onItsWay(['handoff'], req);
      const give = (draft: Parts): void => this.#controllerStep(draft, role.fire(draft.controller, 'deadline'));
      if (gone && !this.#onItsWay(['complete', 'failed'], req))
        this.#move('the controller gives the backend up', ['BackendLost'], 0, give);
      if (gone) this.#unlucky('silence', 'the controller gives the backend up early', ['BackendLost'], give);
    }
    for (const name of BACKENDS) {
      if (this.#now[name] === CRASHED) continue;
      const backend = this.#world.roles.backends[name];
      const backendDue = backend.due(this.#now[name]);
      if (backendDue.includes('respond'))
        this.#moveBy(
          () => `${name} responds`,
          (draft) => {
            const outcome = backend.fire(draft[name], 'respond');
            this.#backendStep(draft, name, outcome);
            return { actions: ['Respond', ...completed(outcome)], events: outcome.events };
          },
        );
      if (backendDue.includes('lease')) {
        const fail = (draft: Parts): void => this.#backendStep(draft, name, backend.fire(draft[name], 'lease'));
        if (this.#quiet && vanished(client)) this.#move(() => `${name} gives up`, ['Fail'], 0, fail);
        this.#unlucky('fail', () => `${name} fails`, ['Fail'], fail);
      }
    }
    if (!this.#quiet) return;
    if (due.includes('idle') && connection?.phase.kind === 'reading' && vanished(client))
      if (connection.endpoint.state === 'established')
        this.#move('the idle timer of the controller fires', ['IdleTimeout'], 0, (draft) =>
          this.#controllerStep(draft, role.fire(draft.controller, 'idle')),
        );
    this.#repetitions();
  }

  /** All timers that run have fired when the network has become quiet. */
  #repetitions(): void {
    const { roles } = this.#world;
    this.#moveBy('timers fire', (draft) => {
      const events: RoleEvent[] = [];
      for (const segment of repeats(draft.client))
        draft.net = onto(draft.net, 'up', 'client', this.#world.frameOf(segment, draft.client, draft.history));
      for (const name of ['repeat', 'reset'] as const)
        if (roles.controller.due(draft.controller).includes(name)) {
          const outcome = roles.controller.fire(draft.controller, name);
          this.#controllerStep(draft, outcome);
          events.push(...outcome.events);
        }
      for (const name of BACKENDS)
        if (draft[name] !== CRASHED && roles.backends[name].due(draft[name]).includes('repeat')) {
          const outcome = roles.backends[name].fire(draft[name], 'repeat');
          this.#backendStep(draft, name, outcome);
          events.push(...outcome.events);
        }
      return draft.net === this.#now.net ? undefined : { actions: ['Timers'], events };
    });
  }

  // --- misfortunes -------------------------------------------------------------------------------------------------------

  #misfortunes(): void {
    const { net, control, history } = this.#now;
    for (const side of ['up', 'down'] as const)
      for (const host of ['client', 'logical', 'b1', 'b2'] as const) {
        const [head] = net[side][host];
        // Behind frames that the controller holds, nothing is first on the link.
        if (head === undefined || (side === 'down' && host === 'logical' && net.held.some(({ late }) => !late)))
          continue;
        const what = (): string => this.#what(head);
        const late = this.#isLate(head);
        this.#unlucky(
          'lose',
          () => `${what()} is lost`,
          ['Lose'],
          (draft) => {
            draft.net = without(draft.net, head, late, side, host);
          },
        );
        if (late) continue;
        this.#unlucky(
          'delay',
          () => `${what()} is held up`,
          ['Delay'],
          (draft) => {
            const left = without(draft.net, head, false, side, host);
            draft.net = { ...left, late: [...left.late, head] };
          },
        );
        this.#unlucky(
          'duplicate',
          () => `${what()} is doubled`,
          ['Duplicate'],
          (draft) => {
            draft.net = { ...draft.net, late: [...draft.net.late, head] };
          },
        );
      }
    for (const link of ['toSwitch', 'fromSwitch'] as const) {
      const [head] = control[link];
      if (head === undefined) continue;
      const { type, handoff } = this.#message(head);
      this.#unlucky(
        'loseControl',
        () => `${type} of hand-off ${handoff} is lost`,
        ['LoseControl'],
        (draft) => {
          draft.control = { ...draft.control, [link]: draft.control[link].filter((id) => id !== head) };
        },
      );
    }
    this.#earlyRepetition();
    const [first] = control.toSwitch;
    if (first !== undefined && this.#affordable('refuse')) {
      const { type, handoff } = this.#message(first);
      if (type === 'add' && history.rule === 0 && handoff > history.done)
        this.#switchHears(first, EVENT_COST.refuse, true);
    }
    const backend = REQUESTS[history.req - 1]?.backend;
    if ((backend === 'b1' || backend === 'b2') && this.#now[backend] !== CRASHED)
      this.#unlucky(
        'crash',
        () => `${backend} crashes`,
        ['Crash'],
        (draft) => {
          draft[backend] = CRASHED;
          draft.history = { ...draft.history, report: { ...draft.history.report, [backend]: 'none' } };
        },
      );
  }

  /** The controller repeats an operation that is only slow. */
  #earlyRepetition(): void {
    const { controller, control } = this.#now;
    const connection = connectionOf(this.#world.roles.controller.state(controller));
    connection?.calls.forEach((call, i) => {
      const slow = control.toSwitch.find((id) => {
        const { message, copy } = this.#message(id);
        return !copy && 'id' in message && message.id === call.id;
      });
      if (slow === undefined) return;
      this.#unlucky(
        'repeat',
        () => `the controller repeats ${call.message.verb} early`,
        ['RepeatEarly'],
        (draft) => {
          const before = draft.control.toSwitch.length;
          this.#controllerStep(draft, this.#world.roles.controller.fire(draft.controller, `call${i}`));
          const sent = draft.control.toSwitch.slice(before).map((id) => {
            const message = this.#message(id);
            return this.#world.pools.messages.id({ ...message, handoff: this.#message(slow).handoff, copy: true });
          });
          draft.control = { ...draft.control, toSwitch: [...draft.control.toSwitch.slice(0, before), ...sent] };
        },
      );
    });
  }

  #affordable(kind: Misfortune): boolean {
    return EVENT_COST[kind] <= this.#now.events;
  }

  #unlucky(kind: Misfortune, label: Words, actions: readonly string[], change: (draft: Parts) => void): void {
    if (this.#affordable(kind)) this.#move(label, actions, EVENT_COST[kind], change);
  }

  // --- making transitions ------------------------------------------------------------------------------------------------

  #move(label: Words, actions: readonly string[], cost: number, change: (draft: Parts) => void): void {
    this.#moveBy(
      label,
      (draft) => {
        change(draft);
        return { actions, events: [] };
      },
      cost,
    );
  }

  #moveBy(
    label: Words,
    change: (draft: Parts) => { actions: readonly string[]; events: readonly RoleEvent[] } | undefined,
    cost = 0,
  ): void {
    const draft = { ...this.#now, events: this.#now.events - cost };
    const { clock } = this.#world;
    const before = clock.now;
    const done = change(draft);
    if (done !== undefined) this.#moves.push({ label, ...done, next: this.#world.pack(draft), now: clock.now });
    clock.now = before;
  }

  /** A segment in words. */
  #what(id: FrameId): string {
    const { by } = this.#frame(id);
    const { seq, data, syn, fin, rst, ack, wnd } = this.#world.abstraction.segment(
      id,
      this.#world.abstraction.layout(this.#now.client, this.#now.history),
    );
    const flags = [syn ? 'SYN' : '', fin ? 'FIN' : '', rst ? 'RST' : ''].filter((flag) => flag !== '').join(' ');
    const sender = by === 'logical' ? 'the controller' : by === 'client' ? 'the client' : by;
    return `${sender}'s ${flags === '' ? 'segment' : flags} ${seq}+${data.length} ack ${ack}${by !== 'client' && wnd === 0 ? ' window 0' : ''}`;
  }
}

function completed(outcome: Outcome): string[] {
  return outcome.events.some(({ action }) => action === 'Complete') ? ['Complete'] : [];
}

function remembered(history: History, event: RoleEvent): History {
  switch (event.action) {
    case 'AcceptSyn':
      return { ...history, accepted: true };
    case 'ReopenWindow':
      return { ...history, req: history.req + 1 };
    case 'RuleRefused':
    case 'RefuseRequest':
      return { ...history, served: [...history.served, history.req], answered: history.req };
    case 'ResetClient':
    case 'IdleTimeout':
      return { ...history, decided: true };
    default:
      return history;
  }
}

function onto(net: Net, side: 'up' | 'down', host: Host, id: FrameId): Net {
  return { ...net, [side]: { ...net[side], [host]: [...net[side][host], id] } };
}

function without(net: Net, id: FrameId, late: boolean, side: 'up' | 'down', host: Host): Net {
  if (!late) return { ...net, [side]: { ...net[side], [host]: net[side][host].slice(1) } };
  const at = net.late.indexOf(id);
  return { ...net, late: net.late.filter((_, i) => i !== Math.max(at, 0)) };
}

function hostOf(port: string): Host {
  if (port === 'client') return 'client';
  return backendOfLink(port) ?? 'logical';
}

function rewritten(before: Uint8Array, after: Uint8Array): boolean {
  const [from, to] = [parseFrame(before), parseFrame(after)];
  const [a, b] = [from.ok ? from.value.ipv4 : undefined, to.ok ? to.value.ipv4 : undefined];
  return a?.src !== b?.src || a?.dst !== b?.dst;
}

function parsedTcp(bytes: Uint8Array) {
  const parsed = parseFrame(bytes);
  return parsed.ok ? parsed.value.tcp : undefined;
}
