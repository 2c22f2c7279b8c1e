// Judges every answer that the tests get by the API's own description, control/api/openapi.json.
//
//   judge(method, url, status, contentType, text)     throws when the answer is not as described
//   judged(fetch)                                     a fetch() that does so
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

export const DESCRIPTION = JSON.parse(readFileSync(join(import.meta.dirname, '../../../control/api/openapi.json'), 'utf8'));

const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: true });
formats(ajv);
ajv.addSchema(DESCRIPTION, 'api');
const validators = new Map();

function validatorAt(pointer) {
  if (!validators.has(pointer)) validators.set(pointer, ajv.compile({ $ref: `api#${pointer}` }));
  return validators.get(pointer);
}

// A segment of a JSON pointer in a URI fragment.
const escaped = (name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
const segments = (path) => path.split('/').filter(Boolean);

// Literal segments win over parameters, as in the router.
const templates = Object.keys(DESCRIPTION.paths)
  .map((path) => ({ path, parts: segments(path) }))
  .sort((a, b) => a.parts.filter((part) => part[0] === '{').length - b.parts.filter((part) => part[0] === '{').length);

function operation(method, path) {
  const parts = segments(path);
  for (const { path: template, parts: wanted } of templates) {
    const fits = wanted.length === parts.length && wanted.every((part, i) => part[0] === '{' || part === parts[i]);
    const described = fits && DESCRIPTION.paths[template][method.toLowerCase()];
    if (described) return { described, pointer: `/paths/${escaped(template)}/${method.toLowerCase()}` };
  }
  return undefined;
}

export function judge(method, url, status, contentType, text) {
  const path = new URL(url, 'http://localhost').pathname;
  if (method === 'HEAD' || method === 'OPTIONS') return;
  const found = operation(method, path);
  const wrong = (what) => {
    throw new Error(`the answer to ${method} ${path} is not as openapi.json says: ${status} ${what}\n${text.slice(0, 500)}`);
  };
  if (!found) {
    if (status < 400) wrong('the description does not have it');
    return;
  }
  const key = String(status) in found.described.responses ? String(status) : 'default';
  if (key === 'default' && status < 400) wrong('success that is not described');
  const content = found.described.responses[key].content;
  const type = contentType.split(';')[0];
  if (!(type in content)) return wrong(`is ${type}, allowed: ${Object.keys(content)}`);
  if (type !== 'application/json') return;
  const validate = validatorAt(`${found.pointer}/responses/${key}/content/${escaped(type)}/schema`);
  const body = JSON.parse(text);
  if (!validate(body)) wrong(ajv.errorsText(validate.errors, { dataVar: '' }) + ' ' + JSON.stringify(validate.errors[0].params));
}

export const judged = (fetch) => async (url, options) => {
  const response = await fetch(url, options);
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) return response;
  const text = await response.clone().text();
  judge(options?.method ?? 'GET', String(url.url ?? url), response.status, type, text);
  return response;
};
