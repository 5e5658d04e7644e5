/** How repositories are named on the command line. */
import { Failure } from './failure.ts';

/** `acme/web`. @throws Failure for anything else */
export function parseRepository(text: string): { namespace: string; reponame: string } {
  const [, namespace, reponame] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === undefined || reponame === undefined) {
    throw new Failure('usage', `${text}: <namespace>/<name> expected`);
  }
  return { namespace, reponame };
}
