/** The HTML report of a real failing run as a browser shows it: on a phone, in light and dark, on paper, with scripts and without. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import t from 'tap';
import { CLAUSES } from '../../spec/requirements.js';
import { prism } from '../cli/run-cli.js';
import { launch, noChromium } from './chromium.js';

/** A case with two ladders, and one whose failure names three clauses. */
const CASES = ['RET-7.pipelined-reads', 'REQ-5.payload-behind-header'];
/** One that passes, and brings the widest table. */
const PASSING = 'EST-3.stack-01-nc-read';
const WIDTHS = [320, 400, 760, 1280] as const;
const A4_AT_12MM = 703;

type Options = Parameters<Browser['newContext']>[0];

t.test('the page', { skip: noChromium, timeout: 240_000 }, async (t) => {
  const cwd = t.testdir();
  const ended = await prism(['test', ...CASES, PASSING, '--without', 'header-only-ack', '--out', 'report', '--quiet'], {
    cwd,
  });
  t.equal(ended.code, 1, 'a run that fails');
  const file = join(cwd, 'report', 'index.html');
  const browser = await launch();
  t.teardown(() => browser.close());

  const open = async (options: Options = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    return page;
  };
  const visible = (page: Page, selector: string): Promise<number> =>
    page.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].filter((e) => e.checkVisibility()).length`,
    );

  await t.test('it loads nothing, and breaks no rule of its own', async (t) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(file).href);
    t.same(requests, [pathToFileURL(file).href]);
    t.same(complaints, []);
    t.match(await page.title(), /^\u2717 Prism conformance: \d+ pass, \d+ fail/);
    const policy =
      "document.querySelector('h1').setAttribute('style', 'color: red'); getComputedStyle(document.querySelector('h1')).color";
    t.not(await page.evaluate(policy), 'rgb(255, 0, 0)', 'a style that slipped in would do nothing');
  });

  for (const width of WIDTHS)
    await t.test(`nothing scrolls sideways at ${width} pixels but ladders in their box`, async (t) => {
      const page = await open({ viewport: { width, height: 800 } });
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      const wide = `[...document.querySelectorAll('body *')]
        .filter((e) => e.checkVisibility() && !e.closest('.scroll table') && !e.closest('.aside, thead'))
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5)
        .map((e) => e.outerHTML.slice(0, 80))`;
      t.same(await page.evaluate(wide), []);
      t.equal(await visible(page, 'figure.ladder'), 3);
    });

  for (const [name, options, media] of [
    ['light', { colorScheme: 'light' }, 'screen'],
    ['dark', { colorScheme: 'dark' }, 'screen'],
    ['light, on a phone', { colorScheme: 'light', viewport: { width: 400, height: 800 } }, 'screen'],
    ['on paper', { colorScheme: 'dark' }, 'print'],
  ] as const)
    await t.test(`every text can be read (WCAG 2.2, 1.4.3: 4.5 to 1): ${name}`, async (t) => {
      const page = await open(options);
      await page.emulateMedia({ media });
      const { measured, poor } = await page.evaluate<{ measured: number; poor: string[] }>(CONTRAST);
      t.ok(measured > 300, `${measured} texts measured`);
      t.same(poor, []);
      if (media === 'screen') {
        const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        t.equal(back === 'rgb(255, 255, 255)', options.colorScheme === 'light', `the background is ${back}`);
      }
    });

  await t.test('the filter leaves what is asked for, and says how much', async (t) => {
    const page = await open();
    const rows = '#clauses tbody tr';
    t.equal(await visible(page, rows), CLAUSES.length);
    await page.selectOption('select[name=verdict]', 'fail');
    const failed = await visible(page, rows);
    t.ok(failed > 0 && failed < 20, `${failed} clauses fail`);
    t.equal(await visible(page, `${rows}:not([data-verdict~=fail])`), 0);
    t.equal(await visible(page, 'section.problem:not([data-verdict=fail])'), 0);
    t.match(await page.textContent('form.filter output'), new RegExp(`^${failed + CASES.length} of \\d+ rows$`));
    await page.selectOption('select[name=role]', 'controller');
    t.ok((await visible(page, rows)) > 0);
    t.equal(await visible(page, `${rows}:not([data-role=controller])`), 0);
    await page.fill('input[name=text]', 'PIPELINED');
    t.equal(await visible(page, '#cases tbody tr'), 1, 'words in any case of letters');
    await page.fill('input[name=text]', 'no such words');
    t.equal(await visible(page, rows), 0);
    await page.click('button[type=reset]');
    await page.waitForFunction(`document.querySelectorAll('.hidden').length === 0`);
    t.equal(await visible(page, rows), CLAUSES.length);
    await page.selectOption('select[name=level]', 'Y');
    t.equal(await visible(page, rows), CLAUSES.filter(({ level }) => level === 'Y').length);
  });

  await t.test('without scripts everything is there, and no filter that does nothing', async (t) => {
    const page = await open({ javaScriptEnabled: false });
    t.notOk(await page.isVisible('form.filter'));
    // Playwright's own questions are asked from outside of the page's scripts.
    const rows = await page.locator('#clauses tbody tr:visible').allTextContents();
    t.equal(rows.length, CLAUSES.length);
    t.same(
      CLAUSES.filter(({ title }, i) => !rows[i]?.includes(title)).map(({ id }) => id),
      [],
      'every clause is to be read',
    );
    t.equal(await page.locator('figure.ladder:visible').count(), 3);
    t.ok(await page.locator('.clause', { hasText: 'never a byte behind it' }).first().isVisible());
  });

  await t.test('a failure shows its frames, the clause beside them, and leads to the capture', async (t) => {
    const page = await open();
    const section = page.locator('section.problem', { hasText: 'REQ-5.payload-behind-header' }).first();
    const marked = section.locator('tr.marked');
    t.equal(await marked.count(), 1);
    t.match(await marked.textContent(), /11.*ack 758.*acknowledges 700 bytes behind the header/);
    t.match(await marked.locator('.lanes').textContent(), /^controller to switch/, 'what the arrow shows is said');
    const ladder = await section.locator('figure.ladder').boundingBox();
    const clause = await section.locator('.clause').first().boundingBox();
    t.ok(ladder && clause && clause.x + clause.width <= ladder.x && Math.abs(clause.y - ladder.y) < 40, 'side by side');
    const href = (await section.locator('figcaption a').first().getAttribute('href')) ?? '';
    t.ok(existsSync(fileURLToPath(new URL(href, pathToFileURL(file)))), href);
    const arrow = await marked.locator('svg path').last().boundingBox();
    const lanes = await marked.locator('.lanes').boundingBox();
    t.ok(arrow && lanes && arrow.x > lanes.x && arrow.x < lanes.x + lanes.width, 'the arrow head is in its column');
    const elsewhere = page.locator('section.problem', { hasText: 'check.REQ-2' }).locator('ul.frames a').first();
    await elsewhere.click();
    t.equal(await page.evaluate("document.querySelector(':target')?.className"), 'marked', 'a link to the row');
  });

  await t.test('it can be used from the keyboard and heard', async (t) => {
    const page = await open();
    const stops = new Set<string>();
    for (let i = 0; i < 400; i++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate<{ name: string; outline: string }>(`(() => { const e = document.activeElement;
        return { name: e.closest('form') ? 'filter' : e.matches('.scroll') ? 'ladder' : e.tagName, outline: getComputedStyle(e).outlineStyle }; })()`);
      if (stop.name === 'BODY') break;
      if (stop.outline === 'none') t.fail(`the focus on ${stop.name} is not seen`);
      stops.add(stop.name);
      if (stops.size === 3) break;
    }
    t.same([...stops].sort(), ['A', 'filter', 'ladder']);
    const nameless = `[...document.querySelectorAll('select, input, [role=region], nav, form')]
      .filter((e) => !(e.getAttribute('aria-label') || e.closest('label')?.textContent.trim())).map((e) => e.outerHTML.slice(0, 60))`;
    t.same(await page.evaluate(nameless), []);
    const twice = `[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)`;
    t.same(await page.evaluate(twice), [], 'no id twice');
    const dangling = `[...document.querySelectorAll('a[href^="#"]')].map((a) => a.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id))`;
    t.same(await page.evaluate(dangling), [], 'no link leads nowhere');
  });

  await t.test('on paper: no filter, no box to scroll, nothing beyond the sheet', async (t) => {
    const page = await open({ viewport: { width: A4_AT_12MM, height: 1000 } });
    await page.emulateMedia({ media: 'print' });
    t.notOk(await page.isVisible('form.filter'));
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), A4_AT_12MM);
    const cut = `[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1).length`;
    t.equal(await page.evaluate(cut), 0);
    const pdf = await page.pdf({ format: 'A4' });
    t.equal(await visible(page, 'table.extra'), 1);
    t.equal(pdf.subarray(0, 5).toString('latin1'), '%PDF-');
    t.ok(pdf.length > 20_000, `${pdf.length} bytes`);
  });

  t.ok(existsSync(join(dirname(file), 'junit.xml')));
});

/** For every text: its colour against what lies behind it, layers of both blended. Texts of 24 px, or 18.66 px and bold, need 3 to 1. */
const CONTRAST = `(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const over = (top, under) => { const mix = (k) => top[k] * top.a + under[k] * (1 - top.a); return { r: mix('r'), g: mix('g'), b: mix('b'), a: 1 }; };
  const light = ({ r, g, b }) => { const f = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4); return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (e) => { const layers = []; for (let at = e; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 }); };
  const poor = new Set(); let measured = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (node.textContent.trim() === '' || !e.checkVisibility() || e.closest('script, option, .aside')) continue;
    const style = getComputedStyle(e); const back = behind(e); const front = over(parse(style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x); const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize); const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    measured++;
    if (ratio < (large ? 3 : 4.5)) poor.add(ratio.toFixed(2) + ' ' + e.tagName + '.' + e.className + ': ' + node.textContent.trim().slice(0, 40));
  }
  return { measured, poor: [...poor] };
})()`;
