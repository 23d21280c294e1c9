import { type FileImage, fileImage, type Image } from './image.ts';
import type { Random } from './random.ts';
import { type DbPage, dbPages, elements, PAGE_BYTES, type WalRecord, walRecords } from './structure.ts';

/** What is damaged, and what else there is to damage it with. */
export interface Subject {
  readonly image: Image;
  /** The same member's at an earlier time. */
  readonly early: Image;
  /** Another member's. */
  readonly other: Image;
}

/** Makes a damaged image; undefined where this subject has nothing of the kind. */
type Damage = (random: Random, subject: Subject) => Image | undefined;

const DB = 'member/snap/db';
const walPaths = (image: Image) => [...image.keys()].filter((path) => path.endsWith('.wal')).sort();
const snapPaths = (image: Image) => [...image.keys()].filter((path) => path.endsWith('.snap')).sort();
const inSnap = (path: string) => path.startsWith('member/snap/');
const inWal = (path: string) => path.startsWith('member/wal/');

const without = (image: Image, ...paths: readonly string[]): Image =>
  new Map([...image].filter(([path]) => !paths.includes(path)));
const withFile = (image: Image, path: string, file: FileImage): Image => new Map([...image, [path, file]]);
/** The files of `image`, those that `which` names replaced by the ones of `from`. */
const partOf = (image: Image, from: Image, which: (path: string) => boolean): Image =>
  new Map([...[...image].filter(([path]) => !which(path)), ...[...from].filter(([path]) => which(path))]);

/** The image with one file's bytes changed by `change`, which gets a copy. */
function edited(image: Image, path: string, change: (bytes: Buffer) => void, room = 0): Image {
  const file = image.get(path);
  if (file === undefined) throw new Error(`${path} is not in the image`);
  const bytes = Buffer.alloc(Math.min(file.size, file.bytes.length + room));
  file.bytes.copy(bytes);
  change(bytes);
  return withFile(image, path, { bytes, size: file.size });
}

const truncated = (image: Image, path: string, size: number): Image => {
  const { bytes } = image.get(path) as FileImage;
  return withFile(image, path, { bytes: bytes.subarray(0, size), size });
};

/** Ways to spoil some bytes from `at` on. */
const SPOILS: Readonly<Record<string, (random: Random, bytes: Buffer, at: number, length: number) => void>> =
  {
    flip: (random, bytes, at, length) => {
      const byte = at + random.int(Math.max(1, length));
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << random.int(8));
    },
    zero: (random, bytes, at, length) => {
      const to = at + random.pick([1, Math.max(1, length), 8, 64, 512, 4096]);
      bytes.fill(0, Math.min(at, bytes.length), Math.min(to, bytes.length));
    },
    noise: (random, bytes, at, length) => {
      const to = Math.min(bytes.length, at + random.pick([1, Math.max(1, length), 8, 64, 512]));
      for (let byte = at; byte < to; byte++) bytes[byte] = random.int(256);
    },
  };

/** The parts of a record of the log: from where, how long. */
const RECORD_PARTS: Readonly<Record<string, (record: WalRecord) => readonly [number, number]>> = {
  length: ({ at }) => [at, 8],
  head: ({ at, dataAt }) => [at + 8, dataAt - at - 8],
  data: ({ dataAt, recordEnd }) => [dataAt, recordEnd - dataAt],
  end: ({ recordEnd, end }) => [Math.max(recordEnd - 4, 0), Math.max(4, end - recordEnd)],
};

/** A file of the log, and one of its records: of each type equally often, as most are entries. */
function anyRecord(
  random: Random,
  image: Image,
  files: readonly string[],
): { path: string; record: WalRecord } | undefined {
  const path = files.length > 0 ? random.pick(files) : undefined;
  if (path === undefined) return undefined;
  const records = walRecords((image.get(path) as FileImage).bytes);
  const type = random.pick([...new Set(records.map((record) => record.type))]);
  return { path, record: random.pick(records.filter((record) => record.type === type)) };
}

const spoilRecord =
  (spoil: keyof typeof SPOILS, which: (paths: string[]) => string[]): Damage =>
  (random, { image }) => {
    const found = anyRecord(random, image, which(walPaths(image)));
    if (found === undefined) return undefined;
    const [at, length] = random.pick(Object.values(RECORD_PARTS))(found.record);
    return edited(image, found.path, (bytes) => SPOILS[spoil]?.(random, bytes, at, length), 4096);
  };

const lastFile = (paths: string[]) => paths.slice(-1);
const earlierFiles = (paths: string[]) => paths.slice(0, -1);

const cutLog =
  (which: (paths: string[]) => string[]): Damage =>
  (random, { image }) => {
    const found = anyRecord(random, image, which(walPaths(image)));
    if (found === undefined) return undefined;
    const { at, end, dataAt } = found.record;
    const size = random.pick([
      at,
      at + 1 + random.int(7),
      at + 8,
      dataAt,
      at + random.int(end - at),
      end,
      at - (at % 512),
      0,
    ]);
    return truncated(image, found.path, size);
  };

/** The tail was never written: zeros from somewhere on, as after a power loss. */
const zeroTail: Damage = (random, { image }) => {
  const found = anyRecord(random, image, lastFile(walPaths(image)));
  if (found === undefined) return undefined;
  const { at, end, dataAt } = found.record;
  const from = random.pick([at, dataAt, at + random.int(end - at), at - (at % 512), at - (at % 4096)]);
  return edited(image, found.path, (bytes) => bytes.fill(0, from));
};

const swap = (image: Image, a: string, b: string): Image =>
  withFile(withFile(image, a, image.get(b) as FileImage), b, image.get(a) as FileImage);

const dbOf = (image: Image) => image.get(DB)?.bytes;

/** Whole pages, filled up: trailing zeros were left out of the image. */
const dbEdited = (image: Image, change: (bytes: Buffer) => void): Image => edited(image, DB, change, 1 << 30);

type PageFilter = (page: DbPage) => boolean;

/** The parts of a page of the database, one picked: header fields, element fields, keys, values. */
const PAGE_PARTS: Readonly<
  Record<string, (random: Random, bytes: Buffer, page: DbPage) => readonly [number, number] | undefined>
> = {
  id: (_, __, { number }) => [number * PAGE_BYTES, 8],
  flags: (_, __, { number }) => [number * PAGE_BYTES + 8, 2],
  count: (_, __, { number }) => [number * PAGE_BYTES + 10, 2],
  overflow: (_, __, { number }) => [number * PAGE_BYTES + 12, 4],
  element: (random, bytes, page) => (page.count ? [random.pick(elements(bytes, page)).at, 16] : undefined),
  key: (random, bytes, page) => {
    if (page.count === 0) return undefined;
    const { keyAt, keyLength } = random.pick(elements(bytes, page));
    return [keyAt, keyLength];
  },
  value: (random, bytes, page) => {
    if (page.count === 0 || page.kind === 'branch') return undefined;
    const { valueAt, valueLength } = random.pick(elements(bytes, page));
    return [valueAt, Math.min(valueLength, 64)];
  },
};

const spoilPage =
  (spoil: keyof typeof SPOILS, parts: readonly string[], which: PageFilter): Damage =>
  (random, { image }) => {
    const bytes = dbOf(image);
    const pages = bytes ? dbPages(bytes).filter(which) : [];
    if (bytes === undefined || pages.length === 0) return undefined;
    const part = PAGE_PARTS[random.pick(parts)]?.(random, bytes, random.pick(pages));
    return part && dbEdited(image, (db) => SPOILS[spoil]?.(random, db, part[0], part[1]));
  };

const any: PageFilter = () => true;
const small: PageFilter = ({ bucket }) => bucket !== 'key';
const branches: PageFilter = ({ kind }) => kind === 'branch';
const ALL_PARTS = Object.keys(PAGE_PARTS);

const spoilMeta =
  (spoil: keyof typeof SPOILS, both: boolean): Damage =>
  (random, { image }) =>
    dbOf(image) &&
    dbEdited(image, (bytes) => {
      const fields = [0, 4, 8, 16, 32, 40, 48, 56];
      const at = 16 + random.pick(fields);
      for (const page of both ? [0, 1] : [random.int(2)])
        SPOILS[spoil]?.(random, bytes, page * PAGE_BYTES + at, 4);
    });

const wholePage =
  (change: (random: Random, bytes: Buffer, page: number, another: number) => void): Damage =>
  (random, { image }) => {
    const bytes = dbOf(image);
    if (bytes === undefined) return undefined;
    const pages = dbPages(bytes).map(({ number }) => number);
    return dbEdited(image, (db) => change(random, db, random.pick(pages), random.pick(pages)));
  };

const pageOf = (bytes: Buffer, page: number) => bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);

const spoilSnapshot: Damage = (random, { image }) => {
  const paths = snapPaths(image);
  if (paths.length === 0) return undefined;
  const path = random.pick([paths.at(-1) as string, random.pick(paths)]);
  const { size } = image.get(path) as FileImage;
  return edited(image, path, (bytes) =>
    random.pick(Object.values(SPOILS))(random, bytes, random.int(size), 4),
  );
};

/** Every way in which the sweep damages data, by the name that the table gives it. */
export const DAMAGES: Readonly<Record<string, Damage>> = {
  nothing: (_, { image }) => image,
  'log, last file: a bit flipped': spoilRecord('flip', lastFile),
  'log, last file: bytes zeroed': spoilRecord('zero', lastFile),
  'log, last file: noise': spoilRecord('noise', lastFile),
  'log, last file: cut': cutLog(lastFile),
  'log, last file: zeros from somewhere on': zeroTail,
  'log, earlier file: a bit flipped': spoilRecord('flip', earlierFiles),
  'log, earlier file: bytes zeroed': spoilRecord('zero', earlierFiles),
  'log, earlier file: noise': spoilRecord('noise', earlierFiles),
  'log, earlier file: cut': cutLog(earlierFiles),
  'log: a file is missing': (random, { image }) => without(image, random.pick(walPaths(image))),
  'log: two files swapped': (random, { image }) => {
    const paths = walPaths(image);
    const [a, b] = [random.pick(paths), random.pick(paths)];
    return a === b ? undefined : swap(image, a, b);
  },
  'log: a file has another name': (random, { image }) => {
    const path = random.pick(walPaths(image));
    const name = random.pick([
      path.replace(/[0-9a-f]{16}-/, `${'0'.repeat(15)}${random.int(9)}-`),
      path.replace(
        /[0-9a-f]{16}\.wal$/,
        `${random
          .int(2 ** 31)
          .toString(16)
          .padStart(16, '0')}.wal`,
      ),
      `${path}.broken`,
      'member/wal/x.wal',
    ]);
    return image.has(name) ? undefined : withFile(without(image, path), name, image.get(path) as FileImage);
  },
  'log: a file from another member': (random, { image, other }) => {
    const [path, from] = [random.pick(walPaths(image)), random.pick(walPaths(other))];
    return withFile(image, path, other.get(from) as FileImage);
  },
  'log: all from another member': (_, { image, other }) => partOf(image, other, inWal),
  'log: an older copy of it, newer database': (_, { image, early }) => partOf(image, early, inWal),
  'log: a stray file beside it': (random, { image }) =>
    withFile(
      image,
      `member/wal/${random.pick(['x.wal', 'notes', '1.tmp', 'a-b.wal'])}`,
      fileImage(Buffer.from('stray')),
    ),
  'log: all missing': (_, { image }) => without(image, ...walPaths(image)),
  'database: a bit flipped in a meta page': spoilMeta('flip', false),
  'database: a bit flipped in both meta pages': spoilMeta('flip', true),
  'database: a meta page spoilt': spoilMeta('noise', false),
  'database: both meta pages zeroed': spoilMeta('zero', true),
  'database: a bit flipped in a page header': spoilPage('flip', ['id', 'flags', 'count', 'overflow'], any),
  'database: a bit flipped in an element': spoilPage('flip', ['element'], any),
  'database: a bit flipped in a key': spoilPage('flip', ['key'], any),
  'database: a bit flipped in a value': spoilPage('flip', ['value'], any),
  'database: a bit flipped in a small bucket': spoilPage('flip', ALL_PARTS, small),
  'database: a bit flipped in a branch': spoilPage('flip', ALL_PARTS, branches),
  'database: bytes zeroed': spoilPage('zero', ALL_PARTS, any),
  'database: noise': spoilPage('noise', ALL_PARTS, any),
  'database: a page zeroed': wholePage((_, bytes, page) => pageOf(bytes, page).fill(0)),
  'database: a page of noise': wholePage((random, bytes, page) => {
    for (let at = page * PAGE_BYTES; at < (page + 1) * PAGE_BYTES; at++) bytes[at] = random.int(256);
  }),
  'database: a page overwritten by another': wholePage((_, bytes, page, another) => {
    pageOf(bytes, another).copy(pageOf(bytes, page));
  }),
  'database: two pages swapped': wholePage((_, bytes, page, another) => {
    const kept = Buffer.from(pageOf(bytes, page));
    pageOf(bytes, another).copy(pageOf(bytes, page));
    kept.copy(pageOf(bytes, another));
  }),
  'database: cut': (random, { image }) => {
    const size = image.get(DB)?.size;
    if (size === undefined) return undefined;
    const somewhere = random.int(size);
    return truncated(
      image,
      DB,
      random.pick([
        somewhere,
        somewhere,
        somewhere - (somewhere % PAGE_BYTES),
        0,
        100,
        4096,
        8192,
        size - PAGE_BYTES,
      ]),
    );
  },
  'database: missing': (_, { image }) => without(image, DB),
  'database: an older copy of it': (_, { image, early }) => partOf(image, early, (path) => path === DB),
  'database: from another member': (_, { image, other }) => partOf(image, other, (path) => path === DB),
  'snapshot: spoilt': spoilSnapshot,
  'snapshot: cut': (random, { image }) => {
    const paths = snapPaths(image);
    if (paths.length === 0) return undefined;
    const path = random.pick(paths.slice(-2));
    return truncated(image, path, random.pick([0, random.int((image.get(path) as FileImage).size)]));
  },
  'snapshot: the newest missing': (_, { image }) => {
    const newest = snapPaths(image).at(-1);
    return newest === undefined ? undefined : without(image, newest);
  },
  'snapshot: all missing': (_, { image }) =>
    snapPaths(image).length > 0 ? without(image, ...snapPaths(image)) : undefined,
  'snapshot: two swapped': (random, { image }) => {
    const paths = snapPaths(image);
    if (paths.length < 2) return undefined;
    const [a, b] = [paths.at(-1) as string, random.pick(paths.slice(0, -1))];
    return swap(image, a, b);
  },
  'snapshots and database: from another member': (_, { image, other }) => partOf(image, other, inSnap),
  'snapshots and database: an older copy': (_, { image, early }) => partOf(image, early, inSnap),
  'snapshots and database: missing': (_, { image }) => without(image, ...[...image.keys()].filter(inSnap)),
  'all: an older copy': (_, { early }) => early,
  'all: another member’s': (_, { other }) => other,
};
