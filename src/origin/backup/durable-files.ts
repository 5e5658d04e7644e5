/** Files that survive a power loss once they are written, and their hashes. */
import { createHash, type Hash } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileSummary {
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

const pieceBytes = 1024 * 1024;

/** Copies a file to a new one that only its owner reads. @throws the system's error */
export async function copyFile(from: string, to: string): Promise<FileSummary> {
  const target = await open(to, 'wx', 0o600);
  try {
    const summary = await readFile(from, async (piece) => {
      await target.writeFile(piece);
    });
    await target.sync();
    return summary;
  } finally {
    await target.close();
  }
}

/** Reads a file to its end. @throws the system's error */
export async function summarizeFile(path: string): Promise<FileSummary> {
  return readFile(path, async () => {});
}

/** Puts the text in the place of whatever was there, in one step. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Syncs a file that another program wrote, such as SQLite. */
export async function syncFile(path: string): Promise<void> {
  await sync(path, 'r+');
}

/** Makes the names in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  await sync(path, 'r');
}

async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readFile(path: string, take: (piece: Uint8Array) => Promise<void>): Promise<FileSummary> {
  const file = await open(path, 'r');
  const hash: Hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(pieceBytes);
  let sizeBytes = 0;
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, sizeBytes);
      if (bytesRead === 0) return { sizeBytes, sha256: hash.digest('hex') };
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      await take(piece);
      sizeBytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
