/** Artifacts, and what refers to an image: signatures and the like, found by the referrers API. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeOciImage } from '../setup/oci-layout.ts';
import { missing, runClient } from '../setup/processes.ts';
import { installGoProgram } from '../setup/registry-clients.ts';
import { startServedOrigin } from '../setup/served-origin.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const signatureType = 'application/vnd.example.signature.v1';
const noteType = 'application/vnd.example.note.v1';

describe('artifacts', { skip: missing('go', 'skopeo') }, async () => {
  const directory = await tempDirectory();
  const origin = await startServedOrigin(directory);
  after(() => origin.stop());
  const image = `${origin.host}/admin/app:1`;
  const subject = await writeOciImage(join(directory, 'layout'), { layers: ['one'] });
  const work = join(directory, 'work');
  await mkdir(work);
  let oras: (...args: string[]) => Promise<string>;
  let regctl: (...args: string[]) => Promise<string>;

  before(async () => {
    const orasProgram = await installGoProgram(directory, 'oras.land/oras/cmd/oras@v1.3.6');
    const regctlProgram = await installGoProgram(
      directory,
      'github.com/regclient/regclient/cmd/regctl@v0.11.7',
    );
    const env = { HOME: directory, DOCKER_CONFIG: directory };
    oras = (...args) => runClient(orasProgram, args, { env, cwd: work });
    regctl = (...args) => runClient(regctlProgram, args, { env, cwd: work });
    const { host, user, password } = origin;
    await oras('login', '--plain-http', '-u', user, '-p', password, host);
    await regctl('registry', 'set', '--tls', 'disabled', host);
    await runClient('skopeo', [
      ...['copy', '--dest-tls-verify=false', '--dest-creds', `${user}:${password}`],
      ...[`oci:${subject.directory}:${subject.name}`, `docker://${image}`],
    ]);
  });

  /** What refers to the image, as the origin lists it. */
  async function referrers(
    repository: string,
    query = '',
  ): Promise<{ digest: string; artifactType: string }[]> {
    const response = await origin.get(repository, `referrers/${subject.digest}${query}`);
    return ((await response.json()) as { manifests: { digest: string; artifactType: string }[] }).manifests;
  }

  it('oras attaches a signature to an image, which oras and regctl find and read', async () => {
    await writeFile(join(work, 'signature.json'), '{"signature":"made up"}');
    await oras('attach', '--plain-http', '--artifact-type', signatureType, image, 'signature.json');
    const [signature, ...others] = await referrers('admin/app');
    assert.deepEqual([signature?.artifactType, others], [signatureType, []]);
    const digest = signature?.digest as string;
    assert.match(await oras('discover', '--plain-http', '--format', 'json', image), new RegExp(digest));
    assert.match(await regctl('artifact', 'list', '--format', '{{jsonPretty .}}', image), new RegExp(digest));
    await oras('pull', '--plain-http', '--output', 'signed', `${origin.host}/admin/app@${digest}`);
    assert.equal(await readFile(join(work, 'signed/signature.json'), 'utf8'), '{"signature":"made up"}');
    const tags = await origin.get('admin/app', 'tags/list');
    assert.deepEqual(
      ((await tags.json()) as { tags: string[] }).tags,
      ['1'],
      'no client fell back to a tag in place of the referrers API',
    );
  });

  it('regctl puts an artifact with a subject, and gets it by its type', async () => {
    await writeFile(join(work, 'note.txt'), 'a note');
    await regctl('artifact', 'put', '--subject', image, '--artifact-type', noteType, '--file', 'note.txt');
    const notes = await referrers('admin/app', `?artifactType=${noteType}`);
    assert.deepEqual(
      notes.map(({ artifactType }) => artifactType),
      [noteType],
    );
    assert.equal((await referrers('admin/app')).length, 2);
    const read = await regctl('artifact', 'get', '--subject', image, '--filter-artifact-type', noteType);
    assert.match(read, /a note/);
  });

  it('both copy an image with what refers to it into another repository', async () => {
    const expected = (await referrers('admin/app')).map(({ digest }) => digest);
    const plain = ['--from-plain-http', '--to-plain-http'];
    await oras('cp', '--recursive', ...plain, image, `${origin.host}/admin/by-oras:1`);
    await regctl('image', 'copy', '--referrers', image, `${origin.host}/admin/by-regctl:1`);
    for (const repository of ['admin/by-oras', 'admin/by-regctl']) {
      assert.deepEqual(
        (await referrers(repository)).map(({ digest }) => digest),
        expected,
        repository,
      );
    }
  });

  it('oras pushes and pulls an artifact whose only blob is empty', async () => {
    await writeFile(join(work, 'empty'), '');
    const artifact = `${origin.host}/admin/empty:1`;
    await oras('push', '--plain-http', '--artifact-type', noteType, artifact, 'empty:text/plain');
    await oras('pull', '--plain-http', '--output', 'pulled', artifact);
    assert.equal(await readFile(join(work, 'pulled/empty'), 'utf8'), '');
  });

  it('a manifest of schema 1 is refused, and the client shows why', async () => {
    const { host, user, password } = origin;
    const push = runClient('skopeo', [
      ...['copy', '--format', 'v2s1', '--dest-tls-verify=false', '--dest-creds', `${user}:${password}`],
      ...[`oci:${subject.directory}:${subject.name}`, `docker://${host}/admin/old:1`],
    ]);
    await assert.rejects(push, /schema 1 are not supported/);
  });

  it('oras deletes an artifact, by its digest', async () => {
    const [note] = await referrers('admin/app', `?artifactType=${noteType}`);
    const reference = `${origin.host}/admin/app@${note?.digest}`;
    await oras('manifest', 'delete', '--plain-http', '--force', reference);
    assert.deepEqual(
      (await referrers('admin/app')).map(({ artifactType }) => artifactType),
      [signatureType],
    );
  });
});
