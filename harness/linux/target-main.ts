/** The process beside one role under test: starts the role (and its adapter), waits until that is ready, relays its control messages, keeps its words, and ends it. */
import { existsSync } from 'node:fs';
import { MAX_CONTROL_LINE } from '../../reference-impl/control/messages.js';
import { createControlFaults } from '../control-faults.js';
import type { ControlAccess, Readiness } from '../target/target.js';
import type { ControlFault, ControlLogEntry } from '../world.js';
import { keepEnds } from './bounded-log.js';
import { answerLines } from './command-lines.js';
import { ForeignProcess } from './foreign-process.js';
import { realtimeNs } from './libc.js';
import { LineFile } from './line-file.js';
import { LineCutter } from './lines.js';
import { News } from './news.js';
import { TOLD } from './processes.js';
import { type AdmitControl, ControlRelay } from './relay.js';
import { type ControlRim, fromStdio, joinPeers, joinRoleByTcp, toStdio } from './relay-ends.js';
import { createRoleEnder, type RoleEnds } from './role-ender.js';

interface FilledLaunch {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface TargetLaunch extends FilledLaunch {
  readonly role: string;
  readonly ready: Readiness;
  readonly graceMs: number;
  readonly control: ControlAccess['by'];
  readonly adapter?: FilledLaunch;
  readonly rim: ControlRim;
  /** The controller's, at whose end all channels meet. */
  readonly controlFaults?: readonly ControlFault[];
  /** What is watched for here to end roles. */
  readonly ends?: RoleEnds;
  /** This role may be ended at any moment: no line of its control log is kept back. */
  readonly mayEnd: boolean;
  readonly controlLog: string;
  /** Log of the role's words, and of the adapter's; and where the role's own log file is, and is kept. */
  readonly log: string;
  readonly adapterLog: string;
  readonly ownLog: { readonly from: string; readonly to: string };
}

const POLL_MS = 20;
const LIST_MS = 1000;
/** A line of the role's words that is looked at for readiness. */
const LONGEST_WORDS = 64 * 1024;

class RoleUnderTest {
  readonly #launch: TargetLaunch;
  readonly #process: ForeignProcess;
  readonly #adapter: ForeignProcess | undefined;
  readonly #relay: ControlRelay;
  readonly #controlLog: LineFile;
  #sawPattern = false;
  #ready = false;
  /** Told to end, or to die: an end is no surprise any more. */
  #ending = false;

  /** Control messages that were no repetition. */
  readonly news = new News();

  /** How often each fault of the control channels was done. */
  readonly applied: readonly number[];

  constructor(launch: TargetLaunch) {
    this.#launch = launch;
    const { role, control, rim, controlFaults, ends } = launch;
    this.#controlLog = new LineFile(launch.controlLog, launch.mayEnd);
    const faults = createControlFaults(controlFaults ?? []);
    this.applied = faults.applied;
    const ender = ends && createRoleEnder(ends);
    const admit: AdmitControl = (travelling) => {
      ender?.onControl(travelling);
      return faults.admit(travelling);
    };
    this.#relay = new ControlRelay({
      role,
      ...(role === 'controller' && { admit }),
      log: (direction, peer, message) => {
        this.news.note(`${direction} ${peer} ${JSON.stringify(message)}`);
        const entry: ControlLogEntry = { t: realtimeNs().toString(), at: role, direction, peer, message };
        this.#controlLog.append(entry);
      },
    });
    joinPeers(rim, this.#relay, () => this.#ending);
    const complain = (line: string): void =>
      this.#speaker().log.append(Buffer.from(`[not a message for a peer of the controller: ${line.slice(0, 200)}]\n`));
    const messages = new LineCutter(MAX_CONTROL_LINE, fromStdio(rim, this.#relay, complain));
    const words = this.#wordCutter();
    this.#process = new ForeignProcess({ name: role, ...launch, speaks: control === 'stdio' }, (bytes) =>
      (control === 'stdio' ? messages : words).push(bytes),
    );
    if (launch.adapter)
      this.#adapter = new ForeignProcess(
        { name: `the adapter of ${role}`, ...launch.adapter, log: launch.adapterLog, speaks: true },
        (bytes) => messages.push(bytes),
      );
    for (const part of this.#parts()) void part.exited.then(() => this.#ended(part));
    if (control === 'tcp') joinRoleByTcp(rim, this.#relay, () => this.#ending);
    else if (control !== 'none') toStdio(rim, this.#relay, (line) => this.#speaker().send(line));
  }

  /** Whoever speaks the control protocol on its standard input and output. */
  #speaker(): ForeignProcess {
    return this.#adapter ?? this.#process;
  }

  #parts(): ForeignProcess[] {
    return this.#adapter ? [this.#process, this.#adapter] : [this.#process];
  }

  #wordCutter(): LineCutter {
    const { ready } = this.#launch;
    const pattern = ready.by === 'stdout' ? new RegExp(ready.pattern) : undefined;
    return new LineCutter(LONGEST_WORDS, (line) => {
      this.#sawPattern ||= pattern?.test(line) ?? false;
    });
  }

  #ended(part: ForeignProcess): void {
    if (this.#ending || !this.#ready) return;
    this.#close();
    process.stderr.write(`${TOLD}${part.ending('while it was under test')}\n`, () => process.exit(1));
  }

  /** Resolves when the role can begin; throws with one line that says why it cannot. */
  async ready(): Promise<void> {
    const { ready, role } = this.#launch;
    const deadline = performance.now() + ('timeoutMs' in ready ? ready.timeoutMs : 0);
    for (;;) {
      const dead = this.#parts().find((part) => !part.running);
      if (dead) {
        this.#close();
        throw new Error(TOLD + dead.ending('before it was ready'));
      }
      if (await this.#isReady()) break;
      if (performance.now() >= deadline && ready.by !== 'start') {
        const words = this.#process.log.lastWords(3);
        this.#close();
        const waited = `${TOLD}${role} was not ready within ${ready.timeoutMs} ms (${awaited(ready)})`;
        throw new Error(words === '' ? `${waited}; it wrote nothing` : `${waited}; its last words: ${words}`);
      }
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
    this.#ready = true;
  }

  async #isReady(): Promise<boolean> {
    const { ready, rim, role } = this.#launch;
    switch (ready.by) {
      case 'start':
        return true;
      case 'stdout':
        return this.#sawPattern;
      case 'file':
        return existsSync(ready.path);
      case 'control':
        if (!rim.peers.every(({ peer }) => this.#relay.hasRole(peer))) return false;
        return role !== 'switch' || (await this.#relay.ask('controller', 'list', LIST_MS)) !== undefined;
    }
  }

  /** Whether it holds no rule; null where that cannot be asked. */
  async idle(): Promise<boolean | null> {
    const { role, control } = this.#launch;
    if (role !== 'switch' || control === 'none') return null;
    const answer = await this.#relay.ask('controller', 'list', LIST_MS);
    // More rules than one line holds.
    if (answer?.verb === 'refused' && answer.code === 'full') return false;
    return answer?.verb === 'ok' && answer.rules !== undefined ? answer.rules.length === 0 : null;
  }

  /** SIGTERM, then SIGKILL for whatever is left; closes the logs. */
  async stop(): Promise<void> {
    this.#ending = true;
    // All of this process' group: the programs and what they started, and this process, which takes no notice.
    process.kill(0, 'SIGTERM');
    const gone = Promise.all(this.#parts().map((part) => part.exited));
    await Promise.race([gone, new Promise((wake) => setTimeout(wake, this.#launch.graceMs))]);
    for (const part of this.#parts()) part.kill();
    await gone;
    this.#close();
  }

  /** Nobody asks any more: everything is killed, and waited for. */
  async abandon(): Promise<void> {
    this.#ending = true;
    for (const part of this.#parts()) part.kill();
    await Promise.all(this.#parts().map((part) => part.exited));
  }

  #close(): void {
    this.#ending = true;
    for (const part of this.#parts()) part.log.close();
    this.#controlLog.close();
    const { from, to } = this.#launch.ownLog;
    keepEnds(from, to);
  }
}

function awaited(ready: Readiness): string {
  switch (ready.by) {
    case 'stdout':
      return `no line of its standard output matched /${ready.pattern}/`;
    case 'file':
      return `there was no file ${ready.path}`;
    case 'control':
      return 'its control connection was not up, or it did not answer';
    case 'start':
      return '';
  }
}

let role: RoleUnderTest | undefined;
/** Begun, ready or not. */
let begun: RoleUnderTest | undefined;

process.on('SIGTERM', () => {});

answerLines(
  async (question) => {
    if (!role) {
      const starting = new RoleUnderTest(question as unknown as TargetLaunch);
      begun = starting;
      await starting.ready();
      role = starting;
      return { ready: true };
    }
    if (question.command === 'news?') return { news: role.news.count };
    if (question.command === 'idle?') return { idle: await role.idle() };
    await role.stop();
    return { lost: 0, applied: role.applied };
  },
  () => begun?.abandon(),
);
