// What a failed test file leaves to look into: its temporary folders and what its child processes said.
//
// run.mjs names a folder for each run of a file in SIMULCASTD_E2E_ARTEFACTS. The test process lists its temporary
// folders there and writes the output of each child there as it comes, so that both outlast a process that is killed.
// run.mjs gathers them when the file failed and drops them when it passed. Without that variable nothing is kept.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

const PLACE = process.env.SIMULCASTD_E2E_ARTEFACTS;

const folderList = (place) => join(place, 'folders');
const outputFolder = (place) => join(place, 'output');
const marker = (place, pid) => join(place, `running-${pid}`);

// ---- in the test process

/** Whether somebody will gather, or remove, the temporary folders of this process. */
export const areWanted = PLACE !== undefined;

/** Leaves a mark until this process ends in order: with the exit code of node's test runner. */
export function markRunning() {
  if (PLACE) write(() => writeFileSync(marker(PLACE, process.pid), process.argv[1]));
}

export function markEnded(code) {
  if (PLACE && code <= 1) rmSync(marker(PLACE, process.pid), { force: true });
}

export function noteFolder(folder) {
  if (PLACE) write(() => appendFileSync(folderList(PLACE), `${folder}\n`));
}

/** Gives a function that takes what a child process says, for a file named by the child's order and command. */
export function outputLog(command, args) {
  if (!PLACE) return () => {};
  let file;
  write(() => {
    const folder = outputFolder(PLACE);
    mkdirSync(folder, { recursive: true });
    const order = String(readdirSync(folder).length + 1).padStart(3, '0');
    file = join(folder, `${order}-${basename(command)}.log`);
    writeFileSync(file, `$ ${[command, ...args].join(' ')}\n`);
  });
  return (text) => write(() => appendFileSync(file, text));
}

/** A full disk costs artefacts, not the test. */
function write(action) {
  try {
    action();
  } catch {
    /* not kept */
  }
}

// ---- in run.mjs

const marks = (place) =>
  readdirSync(place)
    .filter((name) => name.startsWith('running-'))
    .map((name) => join(place, name));

/** Whether a process of this test file did not end in order. Those of its helpers may be killed. */
export function wasCut(place, file) {
  return marks(place).some((mark) => readFileSync(mark, 'utf8') === file);
}

function listedFolders(place) {
  const list = folderList(place);
  return existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : [];
}

/** The regular files below, with their sizes; sockets and the like hold nothing to keep. */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, size: statSync(path).size };
    });
}

function move(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  try {
    renameSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    copyFileSync(from, to);
  }
}

/**
 * Moves the temporary folders of a run into its place, the smallest files first and no more than `limit` bytes in all.
 * Gives the lines that say what was left out; `left-out.txt` in that place has them too.
 */
export function gather(place, limit) {
  const folders = listedFolders(place);
  const found = [
    ...filesIn(outputFolder(place)).map((file) => ({ ...file, to: file.path })),
    ...folders.flatMap((folder) => {
      const name = basename(folder).replace(/^simulcastd-/, '');
      return filesIn(folder).map((file) => ({ ...file, to: join(place, name, relative(folder, file.path)) }));
    }),
  ].sort((a, b) => a.size - b.size);
  const leftOut = [];
  let sum = 0;
  for (const { path, size, to } of found) {
    if (sum + size <= limit) {
      sum += size;
      if (to !== path) move(path, to);
    } else {
      leftOut.push(`${relative(place, to)} (${size} bytes)`);
      rmSync(path, { force: true });
    }
  }
  if (leftOut.length) writeFileSync(join(place, 'left-out.txt'), `${leftOut.join('\n')}\n`);
  drop(place);
  return leftOut;
}

/** Removes the temporary folders of a run, and its notes. */
export function drop(place) {
  for (const folder of listedFolders(place)) rmSync(folder, { recursive: true, force: true });
  for (const note of [folderList(place), ...marks(place)]) rmSync(note, { force: true });
}
