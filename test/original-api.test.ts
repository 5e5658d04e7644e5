/** openapi.yaml against the original's API: its paths, parameters, statuses, codes and shapes are ours, where it had them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadContract } from '../src/origin/api/openapi.ts';
import { originalOperations, originalShapes } from './setup/original-api.ts';
import { type Schema, SchemaValues } from './setup/schema-values.ts';

const { document } = loadContract();
const values = new SchemaValues(document);

/** Not offered, and why. */
const notOffered: [operations: RegExp, because: string][] = [
  [/webhooks/, 'events are read from the trail; nothing is sent to other hosts'],
  [/crons/, 'what is done from time to time is set by flags of `dtr serve`'],
];

/** Codes and members of what is left out, because what they tell of does not exist here. */
const absentCodes = new Set(['TAG_IN_NOTARY']);

/** Removing what is not there was a success, although the list of answers names 404, too. */
const idempotent =
  /^DELETE \/(?:content_caches\/|repositories\/\{namespace\}\/\{reponame\}$|.*[tT]eamAccess\/)/;

/** The shapes whose names differ from ours. */
const ourNames: Record<string, string> = {
  'forms.Access': 'Access',
  'forms.CreateAPIToken': 'CreateAPIToken',
  'forms.CreateContentCache': 'CreateContentCache',
  'forms.CreateRepo': 'CreateRepository',
  'forms.UpdateAPIToken': 'UpdateAPIToken',
  'forms.UpdateRepo': 'UpdateRepository',
  'forms.UserSettings': 'UpdateUserSettings',
  'responses.APIToken': 'APIToken',
  'responses.Account': 'Account',
  'responses.Autocomplete': 'Autocomplete',
  'responses.ClusterStatus': 'ClusterStatus',
  'responses.ContentCache': 'ContentCache',
  'responses.DockerSearch': 'DockerSearch',
  'responses.Events': 'Events',
  'responses.Features': 'Features',
  'responses.ListRepoNamespaceTeamAccess': 'NamespaceTeamAccessList',
  'responses.ListRepoTeamAccess': 'RepositoryTeamAccessList',
  'responses.ListTeamRepoAccess': 'TeamRepositoryAccessList',
  'responses.Manifest': 'Manifest',
  'responses.NamespaceTeamAccess': 'NamespaceTeamAccess',
  'responses.NewAPIToken': 'NewAPIToken',
  'responses.RepoAccess': 'RepositoryAccess',
  'responses.RepoUserAccess': 'RepositoryUserAccess',
  'responses.Repositories': 'Repositories',
  'responses.Repository': 'Repository',
  'responses.Tag': 'Tag',
  'responses.Team': 'Team',
  'responses.TeamAccess': 'TeamAccess',
  'responses.UserSettings': 'UserSettings',
  'schema.Event': 'Event',
  'schema.Object': 'EventObject',
};

interface Operation {
  readonly parameters?: readonly { name: string; in: string; $ref?: string }[];
  readonly responses: Readonly<Record<string, { description: string; content?: object; $ref?: string }>>;
}

function findOurs(method: string, path: string): Operation | undefined {
  // What a parameter of the path is called is nothing that a client sees.
  const shape = (text: string) => text.replaceAll(/\{\w+\}/g, '{}');
  const found = Object.entries(document.paths).find(([ours]) => shape(ours) === shape(`/api/v0${path}`));
  return found?.[1][method.toLowerCase() as 'get'] as unknown as Operation | undefined;
}

const rows = originalOperations
  .trim()
  .split('\n')
  .map((line) => line.split(' | ').map((cell) => cell.trim()) as [string, string, string, string]);

it('there is a list of the original at all', () => assert.ok(rows.length > 50));

for (const [operation, query, , answers] of rows) {
  const [method, path] = operation.split(' ') as [string, string];
  const without = notOffered.find(([pattern]) => pattern.test(path));
  if (without !== undefined) {
    it(`${operation} is not offered: ${without[1]}`, () => assert.equal(findOurs(method, path), undefined));
    continue;
  }
  describe(`${operation}, as the original had it`, () => {
    const ours = findOurs(method, path);
    it('is there', () => assert.ok(ours));
    if (ours === undefined) return;

    it('takes the same query parameters', () => {
      const names = (ours.parameters ?? []).map((parameter) => values.resolve(parameter).name);
      const theirs = query.split(', ').flatMap((item) => item.split(':')[0] || []);
      assert.deepEqual(
        theirs.filter((name) => !names.includes(name)),
        [],
      );
    });

    for (const answer of answers.split('; ')) {
      const [status, code] = answer.split(' ') as [string, string | undefined];
      if (code !== undefined && absentCodes.has(code)) continue;
      if (status === '404' && idempotent.test(operation)) continue;
      it(`answers ${answer}`, () => {
        const response = ours.responses[status];
        assert.ok(response, `there is no ${status}`);
        if (code === undefined || !/^[A-Z_]+$/.test(code)) return;
        const { description, content } = values.resolve(response);
        assert.ok(
          `${description} ${JSON.stringify(content)}`.includes(code),
          `${status} does not tell of ${code}`,
        );
      });
    }
  });
}

for (const line of originalShapes.trim().split('\n')) {
  const [, name, members] = /^([\w.]+) \{ (.*) \}$/.exec(line) as unknown as [string, string, string];
  const ours = ourNames[name];
  if (ours === undefined) continue;
  it(`${name} has the same members in ${ours}`, () => {
    const schema = (document.components?.schemas as Record<string, Schema> | undefined)?.[ours];
    assert.ok(schema, `there is no schema ${ours}`);
    const isForm = name.startsWith('forms.');
    for (const member of members.split(/, (?=\w+\??:)/)) {
      const [, key, optional] = /^(\w+)(\??):/.exec(member) as unknown as [string, string, string];
      if (isForm || optional === '?') {
        // A form of ours may ask for less.
        if (optional !== '?' || isForm) assert.ok(key in (schema.properties ?? {}), `${key} is missing`);
      } else {
        assert.ok(schema.required?.includes(key), `${key} is not always there`);
      }
    }
  });
}
