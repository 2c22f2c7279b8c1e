// The official client's own types, as a judge of answers: `typescript` reads the client's declarations, and a value is
// walked along a type.
//
//   const types = new SdkTypes();
//   types.problems('LiveInputs.LiveInput', 'stream/live-inputs/live-inputs', value) -> ['/status: ...']
//
// Told is every member whose value is of another type, and every member of the type that the value does not have: the
// declarations call nearly all of them optional, so it is for the test to say which may be left out.
import { join } from 'node:path';
import ts from 'typescript';

const RESOURCES = join(import.meta.dirname, '../node_modules/cloudflare/resources');

export class SdkTypes {
  #programs = new Map();

  #program(file) {
    if (!this.#programs.has(file)) {
      const path = join(RESOURCES, `${file}.d.ts`);
      const program = ts.createProgram([path], { strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022 });
      this.#programs.set(file, { checker: program.getTypeChecker(), source: program.getSourceFile(path) });
    }
    return this.#programs.get(file);
  }

  /** The type `name` that `file` exports. */
  #type(file, name) {
    const { checker, source } = this.#program(file);
    const symbol = checker
      .getExportsOfModule(checker.getSymbolAtLocation(source))
      .find((one) => one.escapedName === name);
    if (!symbol) throw new Error(`${file} has no ${name}`);
    return { checker, source, type: checker.getDeclaredTypeOfSymbol(symbol) };
  }

  problems(name, file, value) {
    const { checker, source, type } = this.#type(file, name);
    const found = [];
    const walk = (at, wanted, given) => {
      const kinds = wanted.isUnion() ? wanted.types : [wanted];
      if (kinds.some((kind) => kind.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown))) return;
      const told = () => found.push(`${at || '/'}: ${JSON.stringify(given)} is no ${checker.typeToString(wanted)}`);
      if (given === undefined) return;
      if (given === null) return kinds.some((kind) => kind.flags & ts.TypeFlags.Null) ? undefined : told();
      if (typeof given !== 'object') {
        const fits = kinds.some(
          (kind) =>
            (kind.isLiteral() && kind.value === given) ||
            (kind.flags & ts.TypeFlags.BooleanLiteral && checker.typeToString(kind) === String(given)) ||
            (kind.flags & ts.TypeFlags.String && typeof given === 'string') ||
            (kind.flags & ts.TypeFlags.Number && typeof given === 'number') ||
            (kind.flags & ts.TypeFlags.Boolean && typeof given === 'boolean'),
        );
        return fits ? undefined : told();
      }
      if (Array.isArray(given)) {
        const array = kinds.find((kind) => checker.isArrayType(kind));
        if (!array) return told();
        const [element] = checker.getTypeArguments(array);
        return given.forEach((item, i) => walk(`${at}/${i}`, element, item));
      }
      const object = kinds.find((kind) => kind.flags & ts.TypeFlags.Object && !checker.isArrayType(kind));
      if (!object) return told();
      for (const property of checker.getPropertiesOfType(object)) {
        const member = checker.getTypeOfSymbolAtLocation(property, source);
        if (!(property.name in given)) found.push(`${at}/${property.name}: is missing`);
        else walk(`${at}/${property.name}`, member, given[property.name]);
      }
    };
    walk('', type, value);
    return found;
  }
}
