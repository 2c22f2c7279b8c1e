// AMF0, the part of it that RTMP commands use. Objects and ECMA arrays both become plain objects.
//   00 f64 number | 01 u8 bool | 02 u16 string | 03 object ... 00 00 09 | 05 null | 06 undefined
//   08 u32 ECMA array ... 00 00 09 | 0a u32 strict array

function text(value) {
  const bytes = Buffer.from(value, 'utf8');
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function one(value) {
  if (value === null) return Buffer.from([5]);
  if (value === undefined) return Buffer.from([6]);
  switch (typeof value) {
    case 'number': {
      const bytes = Buffer.alloc(9);
      bytes.writeDoubleBE(value, 1);
      return bytes;
    }
    case 'boolean':
      return Buffer.from([1, value ? 1 : 0]);
    case 'string':
      return Buffer.concat([Buffer.from([2]), text(value)]);
    default:
      return Buffer.concat([
        Buffer.from([3]),
        ...Object.entries(value).flatMap(([key, member]) => [text(key), one(member)]),
        Buffer.from([0, 0, 9]),
      ]);
  }
}

export function encode(...values) {
  return Buffer.concat(values.map(one));
}

/** All values in `bytes`; throws where they do not make sense. */
export function decode(bytes) {
  let at = 0;
  const take = (size) => {
    if (at + size > bytes.length) throw new RangeError('AMF0 value reaches past the end');
    at += size;
    return at - size;
  };
  const string = () => {
    const size = bytes.readUInt16BE(take(2));
    return bytes.toString('utf8', take(size), at);
  };
  const members = () => {
    const object = {};
    for (;;) {
      const key = string();
      if (key === '' && bytes[at] === 9) {
        at += 1;
        return object;
      }
      object[key] = value();
    }
  };
  function value() {
    const marker = bytes[take(1)];
    switch (marker) {
      case 0:
        return bytes.readDoubleBE(take(8));
      case 1:
        return bytes[take(1)] !== 0;
      case 2:
        return string();
      case 3:
        return members();
      case 5:
        return null;
      case 6:
        return undefined;
      case 8:
        take(4);
        return members();
      case 10:
        return Array.from({ length: bytes.readUInt32BE(take(4)) }, value);
      default:
        throw new TypeError(`AMF0 marker ${marker} is not known here`);
    }
  }
  const values = [];
  while (at < bytes.length) values.push(value());
  return values;
}
