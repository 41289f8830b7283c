/** The request header arrives in two segments, split behind every one of its bytes. */
import type { ScriptStep } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { expectObjects, header, pause, QUIET_MS, response, runAll, script, send } from '../vocabulary.js';

/** Split positions are dealt out to this many connections side by side, so that pauses overlap. */
const CONNECTIONS = 5;

const pathOf = (position: number) => (position % 2 === 0 ? '/a/1' : '/b/1');

function split(position: number): ScriptStep[] {
  const text = header('GET', pathOf(position));
  return [
    // Both halves must leave at once, as segments of their own: wait until the window is open again.
    pause(QUIET_MS),
    send(text.slice(0, position)),
    pause(QUIET_MS),
    send(text.slice(position)),
    response(),
  ];
}

export const splitInTwo: ConformanceCase = {
  id: 'REQ-1.header-split-in-two',
  clauses: ['REQ-1', 'REQ-2', 'REQ-3', 'REQ-6', 'HOF-1', 'HOF-6', 'BKD-1'],
  summary: 'Each request header comes in two segments, split behind every byte in turn, and is handed off once.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const positions = Array.from({ length: header('GET', '/a/1').length - 1 }, (_, i) => i + 1);
    const hands = Array.from({ length: CONNECTIONS }, (_, c) => positions.filter((p) => p % CONNECTIONS === c));
    const results = await runAll(
      context,
      hands.map((hand) => script(...hand.flatMap(split))),
    );
    for (const [i, result] of results.entries()) expectObjects(context, result, hands[i]?.map(pathOf) ?? []);
  },
};
