// What is made of the fixtures is sound: without a seam where they are repeated, and as it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, fromTs } from './access_units.mjs';
import { FPS } from './publishers.mjs';
import { PID, parseTs } from './mpegts.mjs';
import { tsFixture, withLastPictureFilled } from './ts_fixture.mjs';

const steps = (times) => new Set(times.slice(1).map((time, i) => time - times[i]));

for (const options of [{}, { gop: 120 }, { video: 'h265' }]) {
  test(`repeated without a seam, cut where it is wanted: ${JSON.stringify(options)}`, async () => {
    const bytes = await tsFixture({ seconds: 20, ...options });
    assert.deepEqual(parseTs(bytes).errors, []);
    const { video, audio } = fromTs(bytes);
    assert.equal(video.length, 20 * FPS);
    assert.deepEqual([...steps(video.map(({ dts }) => dts))], [90_000 / FPS]);
    assert.deepEqual([...steps(audio.map(({ pts }) => pts))], [(1024 * 90_000) / 48_000]);
  });
}

test('one that cannot be repeated says so', async () => {
  await assert.rejects(tsFixture({ gop: 300, seconds: 13 }), /gop300\.ts lasts 12 s, not 13/);
});

test('filled up to a bitrate by null packets, and nothing else is changed', async () => {
  const [plain, filled] = [await tsFixture({ seconds: 4 }), await tsFixture({ seconds: 4, kbps: 900 })];
  const ts = parseTs(filled);
  assert.deepEqual(ts.errors, []);
  assert.ok(Math.abs((filled.length * 8) / 4 - 900_000) < 20_000, `${filled.length} bytes`);
  const others = ts.packets.filter(({ pid }) => pid !== PID.null).map((packet) => packet.bytes);
  assert.ok(Buffer.concat(others).equals(plain));
});

test('a last picture that fills its packets is the same but for a message', async () => {
  for (const frames of [90, 89, 88, 87, 86, 85]) {
    const plain = await tsFixture({ seconds: frames / FPS });
    const filled = withLastPictureFilled(plain);
    assert.deepEqual(parseTs(filled).errors, []);
    const [before, after] = [fromTs(plain), fromTs(filled)];
    assert.equal(after.video.at(-1).size - before.video.at(-1).size > 0, true);
    before.video.pop();
    after.video.pop();
    const same = compare(before, after);
    assert.ok(same.ok, same.report);
  }
});
