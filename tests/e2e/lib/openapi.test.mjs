// The judge itself: what is not as described is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESCRIPTION, judge } from './openapi.mjs';

const ROOT = 'http://h/client/v4/accounts/abc/stream/live_inputs';
const envelope = (result) => ({ result, success: true, errors: [], messages: [] });
const ask = (method, path, status, body, type = 'application/json') =>
  judge(method, path, status, type, typeof body === 'string' ? body : JSON.stringify(body));
const list = envelope({ liveInputs: [], range: 0, total: 0 });

test('good answers pass', () => {
  ask('GET', ROOT, 200, list);
  ask('GET', `${ROOT}/?include_counts=true`, 200, list);
  ask('DELETE', `${ROOT}/1`, 200, envelope(''));
  ask('GET', '/metrics', 200, 'a 1\n', 'text/plain; version=0.0.4');
  ask('GET', '/nothing', 404, { result: null, success: false, errors: [{ code: 7003, message: 'x' }], messages: [] });
});

test('what is missing, too much, of another type or not described is told', () => {
  const wrong = [
    ['GET', ROOT, 200, envelope({ liveInputs: [], range: 0 })],
    ['GET', ROOT, 200, envelope({ liveInputs: [], range: 0, total: 0, more: 1 })],
    ['GET', ROOT, 200, envelope({ liveInputs: [], range: 0, total: '0' })],
    ['GET', ROOT, 200, { ...list, more: 1 }],
    ['GET', ROOT, 200, { ...list, success: false }],
    ['GET', ROOT, 200, list, 'text/html'],
    ['GET', ROOT, 401, list],
    ['GET', ROOT, 201, list],
    ['DELETE', `${ROOT}/1`, 200, envelope(null)],
    ['GET', `${ROOT}/1/nothing`, 200, envelope({})],
    ['GET', `${ROOT}/1`, 200, envelope({ uid: '1'.repeat(32) })],
  ];
  for (const answer of wrong) assert.throws(() => ask(...answer), /openapi\.json/, JSON.stringify(answer));
});

test('every object of the answers is closed, and every member is described in words', () => {
  for (const [name, schema] of Object.entries(DESCRIPTION.components.schemas)) {
    if (!schema.properties) continue;
    const isBody = /Fields$|^New/.test(name);
    assert.equal(schema.additionalProperties === false, !isBody, name);
    for (const [member, { description, $ref, const: fixed, type, items }] of Object.entries(schema.properties)) {
      assert.ok(description || $ref || fixed !== undefined || type === 'null' || items?.$ref, `${name}.${member}`);
    }
  }
});
