/** Scapy as an independent oracle for the wire codecs, in one long-lived Python process (`bridge.py`). */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PythonShell } from 'python-shell';

/** Addresses in their usual notation, byte strings in hex. */
export interface ScapyPacket {
  readonly ethernet: {
    readonly dst: string;
    readonly src: string;
    readonly etherType?: number;
    readonly vlanTags?: readonly number[];
  };
  readonly arp?: {
    readonly operation: number;
    readonly senderMac: string;
    readonly senderIp: string;
    readonly targetMac: string;
    readonly targetIp: string;
  };
  readonly ipv4?: ScapyIpv4;
  readonly tcp?: ScapyTcp;
  readonly udp?: ScapyUdp;
}

interface ScapyIpv4 {
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly src: string;
  readonly dst: string;
  readonly options: string;
}

interface ScapyTcp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: readonly ScapyTcpOption[];
  readonly payload: string;
}

interface ScapyUdp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly payload: string;
}

export type ScapyTcpOption =
  | { readonly kind: 'mss'; readonly value: number }
  | { readonly kind: 'window-scale'; readonly shift: number }
  | { readonly kind: 'sack-permitted' | 'nop' | 'end' }
  | { readonly kind: 'sack'; readonly blocks: readonly { readonly left: number; readonly right: number }[] }
  | { readonly kind: 'timestamps'; readonly value: number; readonly echo: number }
  | { readonly kind: 'unknown'; readonly code: number; readonly data: string }
  | { readonly kind: 'malformed'; readonly bytes: string };

/** `payload`: of a packet that is neither TCP nor UDP nor ARP, or of a fragment. */
export type ScapyBuild = ScapyPacket & { readonly payload?: string };

/** What scapy reads in a frame: only the layers that it recognises. `checksumValid` is null where the datagram is not whole. */
export interface ScapyDissection {
  readonly ethernet?: {
    readonly dst: string;
    readonly src: string;
    readonly etherType: number;
    readonly vlanTags: readonly number[];
  };
  readonly arp?: ScapyPacket['arp'];
  readonly ipv4?: ScapyIpv4 & {
    readonly version: number;
    readonly headerLength: number;
    readonly totalLength: number;
    readonly checksum: number;
    readonly checksumValid: boolean;
  };
  readonly tcp?: ScapyTcp & {
    readonly headerLength: number;
    readonly checksum: number;
    readonly checksumValid: boolean | null;
  };
  readonly udp?: ScapyUdp & {
    readonly length: number;
    readonly checksum: number;
    readonly checksumValid: boolean | null;
  };
}

/** There is no Python with scapy here. The message says what was tried and how to get it. */
export class ScapyMissing extends Error {
  override name = 'ScapyMissing';
}

/** PRISM_PYTHON where it is set, else the first interpreter that can import scapy. Throws ScapyMissing. */
export function findPythonWithScapy(): string {
  const chosen = process.env.PRISM_PYTHON;
  const candidates = chosen ? [chosen] : ['python3', '/usr/bin/python3'];
  const python = candidates.find(
    (candidate) => spawnSync(candidate, ['-c', 'import scapy'], { stdio: 'ignore' }).status === 0,
  );
  if (python) return python;
  const remedy = chosen
    ? 'PRISM_PYTHON must name one that can'
    : 'install it (Debian: python3-scapy) or name a Python that has it in PRISM_PYTHON';
  throw new ScapyMissing(`${candidates.join(' and ')} cannot import scapy; ${remedy}`);
}

/** The script stays with the sources, whether this module runs from there or compiled. */
function bridgeScript(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const script = join(folder, 'harness', 'scapy', 'bridge.py');
    if (existsSync(script)) return script;
    if (folder === dirname(folder)) throw new ScapyMissing('harness/scapy/bridge.py is not in this installation');
  }
}

interface Waiting {
  resolve(items: readonly unknown[]): void;
  reject(error: Error): void;
}

export class Scapy {
  readonly python: string;
  readonly #shell: PythonShell;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: Error | undefined;

  /** Starts the process; `python`: an interpreter that is known to have scapy, looked for when absent. Throws ScapyMissing. */
  constructor(python = findPythonWithScapy()) {
    this.python = python;
    this.#shell = new PythonShell(bridgeScript(), { mode: 'json', pythonPath: this.python });
    let complaint = '';
    this.#shell.on('stderr', (line: string) => {
      complaint = line;
    });
    this.#shell.on('message', (reply: { id: number; items?: readonly unknown[]; error?: string }) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.items) waiting?.resolve(reply.items);
      else waiting?.reject(new Error(`scapy: ${reply.error}`));
    });
    const end = (error?: Error): void => {
      this.#ended ??= new Error(
        `the scapy bridge ended${complaint || error ? `: ${complaint || error?.message}` : ''}`,
      );
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    };
    this.#shell.on('error', end);
    this.#shell.on('pythonError', end);
    this.#shell.on('close', () => end());
  }

  /** One result for each frame, in order. */
  async dissect(frames: readonly Uint8Array[]): Promise<readonly ScapyDissection[]> {
    const items = await this.#ask(
      'dissect',
      frames.map((frame) => Buffer.from(frame).toString('hex')),
    );
    return items as readonly ScapyDissection[];
  }

  /** One frame for each description, in order; lengths and checksums are scapy's. */
  async build(packets: readonly ScapyBuild[]): Promise<readonly Uint8Array[]> {
    const items = await this.#ask('build', packets);
    return (items as readonly string[]).map((frame) => Uint8Array.from(Buffer.from(frame, 'hex')));
  }

  /** The frames of each description and of what is done to it, in order (harness/segments/craft.ts). */
  async craft(items: readonly object[]): Promise<readonly Uint8Array[]> {
    const frames = (await this.#ask('craft', items)) as readonly (readonly string[])[];
    return frames.flat().map((frame) => Uint8Array.from(Buffer.from(frame, 'hex')));
  }

  /** Ends the process, after what it was asked before. */
  async close(): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => this.#shell.end(() => resolve()));
  }

  #ask(op: 'dissect' | 'build' | 'craft', items: readonly unknown[]): Promise<readonly unknown[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#shell.send({ id, op, items });
    });
  }
}
