/** However a run ends, the outcome says so; and where the embedded checker is known to differ from TLC, it is kept from differing. */
import t from 'tap';
import { type EmbeddedRequest, runEmbedded } from '../../../model/embedded/run.js';

const COUNTING = `A == x < 3 /\\ x' = x + 1
Init == x = 0
Next == A
Fair == WF_x(A)
Spec == Init /\\ [][Next]_x
FairSpec == Spec /\\ Fair
Small == x < 4
Smaller == x < 2
Ends == <>[](x = 3)
Returns == []<>(x = 0)
Reaches == []<>(x = 3)`;

function request(body: string, cfg: string, more: Partial<EmbeddedRequest> = {}): EmbeddedRequest {
  const module = `---- MODULE M ----\nEXTENDS Naturals, Sequences, FiniteSets\nVARIABLE x\n${body}\n====\n`;
  const text = `${cfg}\nCHECK_DEADLOCK FALSE\n`;
  return { modules: { 'M.tla': module }, root: 'M', cfg: text, maxStates: 1000, timeoutMs: 60_000, ...more };
}

const counting = (cfg: string, more: Partial<EmbeddedRequest> = {}) => runEmbedded(request(COUNTING, cfg, more));

/** Whether this holds in the one state of a module that has it as its only invariant. */
async function holds(definitions: string, invariant: string): Promise<boolean> {
  const body = `${definitions}\nInit == x = 0\nNext == UNCHANGED x\nThis == ${invariant}`;
  const outcome = await runEmbedded(request(body, 'INIT Init\nNEXT Next\nINVARIANT This'));
  if (outcome.kind !== 'ok') t.match(outcome, { kind: 'invariant', name: 'This' }, invariant);
  return outcome.kind === 'ok';
}

t.test('outcomes', async (t) => {
  t.match(await counting('SPECIFICATION FairSpec\nINVARIANT Small\nPROPERTIES Ends Reaches'), {
    kind: 'ok',
    distinct: 4,
  });
  t.match(await counting('INIT Init\nNEXT Next'), { kind: 'ok', distinct: 4 });
  t.match(await counting('SPECIFICATION Spec\nINVARIANTS Small Smaller'), { kind: 'invariant', name: 'Smaller' });
  t.match(await counting('SPECIFICATION FairSpec\nPROPERTIES Ends Returns Reaches'), {
    kind: 'liveness',
    property: 'Returns',
  });
  t.match(await counting('SPECIFICATION Spec\nINVARIANT Small', { maxStates: 3 }), {
    kind: 'too-many-states',
    maxStates: 3,
  });
  t.match(await runEmbedded(request('Init == x \\in {}\nNext == x = x', 'INIT Init\nNEXT Next')), {
    kind: 'ok',
    distinct: 0,
  });
  t.match(await runEmbedded(request("Init == x = 0\nNext == x' = <<1>>[x]", 'INIT Init\nNEXT Next')), {
    kind: 'evaluation-error',
    message: /index 0 out of bounds/,
  });
  t.match(await runEmbedded(request("ASSUME 1 = 2\nInit == x = 0\nNext == x' = x", 'INIT Init\nNEXT Next')), {
    kind: 'evaluation-error',
    message: /Assume/,
  });
});

t.test('limits of time', async (t) => {
  const endless = request("Init == x = 0\nNext == x' = x + 1", 'INIT Init\nNEXT Next', { maxStates: 2 ** 31 - 1 });
  t.match(await runEmbedded({ ...endless, timeoutMs: 300 }), { kind: 'time-out', timeoutMs: 300 });
  const controller = new AbortController();
  const outcome = runEmbedded(endless, { signal: controller.signal });
  setTimeout(() => controller.abort(), 300);
  t.match(await outcome, { kind: 'interrupted' });
  t.match(await runEmbedded(endless, { signal: controller.signal }), { kind: 'interrupted' });
  await t.rejects(runEmbedded({ ...endless, timeoutMs: 0 }), RangeError);
  await t.rejects(runEmbedded({ ...endless, maxStates: 1.5 }), RangeError);
});

t.test('deep recursion has the stack that it needs', async (t) => {
  const sum = 'RECURSIVE Sum(_)\nSum(n) == IF n = 0 THEN 0 ELSE n + Sum(n - 1)';
  t.ok(await holds(sum, 'Sum(1000) = 500500'));
});

t.test('constants: values and definitions', async (t) => {
  const body =
    'CONSTANTS Most, Names, Plan\nPlanOfModel == <<1, Most>>\nInit == x = Plan[1]\nNext == x < Plan[2] /\\ x\' = x + 1\nNamed == Names = {"a", "b"}';
  const cfg = 'INIT Init\nNEXT Next\nCONSTANTS Most = 5\nNames = {"b", "a"}\nPlan <- PlanOfModel\nINVARIANT Named';
  t.match(await runEmbedded(request(body, cfg)), { kind: 'ok', distinct: 5 });
  t.match(await runEmbedded(request(body, cfg.replace('Most = 5', ''))), {
    kind: 'parse-error',
    message: /the constant Most has no value/,
  });
  t.match(await runEmbedded(request(body, `${cfg}\nCONSTANT More = 1`)), {
    kind: 'parse-error',
    message: /More is no constant/,
  });
  t.match(await runEmbedded(request(body, `${cfg}\nCONSTANT Named = TRUE`)), {
    kind: 'unsupported',
    what: /replaces the definition Named/,
  });
});

t.test('precedence and lists as TLC reads them', async (t) => {
  t.ok(await holds('', 'FALSE => TRUE /\\ FALSE'));
  t.notOk(await holds('', 'TRUE \\/ TRUE => FALSE'));
  t.notOk(
    await holds(
      '',
      `(/\\ \\/ TRUE
             \\/ TRUE
          /\\ FALSE)`,
    ),
  );
});

t.test('an argument that bears the name of a later parameter', async (t) => {
  const minus = 'Minus(a, b) == a - b';
  t.ok(await holds(`${minus}\nOneLess(b) == Minus(b, 1)`, 'OneLess(7) = 6'));
  t.ok(await holds(minus, '\\E b \\in {7} : Minus(b, 1) = 6'));
  t.ok(await holds(`${minus}\nSwapped(a, b) == Minus(b, a)`, 'Swapped(2, 7) = 5'));
});

t.test('fairness that is not asked for is none', async (t) => {
  t.match(await counting('SPECIFICATION Spec\nPROPERTY Reaches'), { kind: 'liveness', property: 'Reaches' });
  t.match(await counting('INIT Init\nNEXT Next\nPROPERTY Reaches'), { kind: 'liveness', property: 'Reaches' });
});

t.test('a definition that the checker cannot read is not silently left out', async (t) => {
  const body = "Init == x = 0\nNext == x' = 1 - x /\\ (x = 7 => Odd)\n\nOdd == [a \\in {1}, b \\in {2} |-> 0] = x";
  t.match(await runEmbedded(request(body, 'INIT Init\nNEXT Next')), {
    kind: 'parse-error',
    module: 'M',
    line: 7,
    column: 1,
    message: /^Odd: /,
  });
});

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [definition: string, cfg: string, what: RegExp])[] = [
    ['L == (x = 0) ~> (x = 1)', 'PROPERTY L', /~>/],
    ['L == <>(x = 1)', 'PROPERTY L', /the property L/],
    ['L == [](x < 9)', 'PROPERTY L', /the property L/],
    ['L == []<>(x = 0) => []<>(x = 1)', 'PROPERTY L', /the property L/],
    ['L == []<>(x = 0) /\\ []<>(x = 1)', 'PROPERTY L', /the property L/],
    ['K == <>(x = 0)\nL == []<>(K)', 'PROPERTY L', /the property L/],
    ['L == []<><<A>>_x', 'PROPERTY L', /the property L/],
    ['I == [](x = 0)', 'INVARIANT I', /the temporal formula I/],
    ['F(n) == n\nL == F(LAMBDA n : n)', '', /LAMBDA/],
    ['I == x \\in Nat', 'INVARIANT I', /Nat/],
    ['I == x \\in Int', 'INVARIANT I', /Int/],
    ['I == x \\in {1} \\X {2} \\X {3}', 'INVARIANT I', /\\X twice/],
    ['I == x = "a\\\\b"', 'INVARIANT I', /backslash/],
    ['LSpec == FairSpec /\\ []<>(x = 0)', 'SPECIFICATION LSpec', /<> in LSpec/],
    ['', 'CONSTRAINT Small\nPROPERTY Reaches', /together with a CONSTRAINT/],
    ['', 'VIEW x', /VIEW/],
    ['', 'CHECK_DEADLOCK TRUE', /configuration/],
  ];
  for (const [definition, cfg, what] of cases) {
    const whole = cfg.startsWith('SPECIFICATION') ? cfg : `SPECIFICATION FairSpec\n${cfg}`;
    const outcome = await runEmbedded(request(`${COUNTING}\n${definition}`, whole));
    if (cfg.startsWith('CHECK')) t.match(outcome, { kind: 'parse-error', message: what }, 'a second CHECK_DEADLOCK');
    else t.match(outcome, { kind: 'unsupported', what }, definition || cfg);
  }
  const { modules, ...rest } = request(COUNTING, 'SPECIFICATION Spec');
  t.match(await runEmbedded({ ...rest, modules, cfg: 'SPECIFICATION Spec' }), {
    kind: 'unsupported',
    what: /deadlock/,
  });
  t.match(await counting('SPECIFICATION Spec\nINVARIANT Nowhere'), { kind: 'parse-error', message: /Nowhere/ });
});
