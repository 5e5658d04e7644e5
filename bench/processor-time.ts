/** What a process works, whatever else the machine does meanwhile. */
import { readdir, readFile } from 'node:fs/promises';

/** Of all threads of the process until now, as Linux counts it; in ms. */
export async function processorMs(pid: number): Promise<number> {
  let nanoseconds = 0;
  for (const task of await readdir(`/proc/${pid}/task`)) {
    // A thread may end meanwhile.
    const statistics = await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8').catch(() => '0');
    nanoseconds += Number(statistics.split(' ')[0]);
  }
  return nanoseconds / 1e6;
}
