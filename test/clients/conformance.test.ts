/** The official conformance suite of the OCI distribution spec, with every optional check it has for us. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { freePort } from '../setup/free-port.ts';
import { basic } from '../setup/origin.ts';
import { missing, runClient, startProgram } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const suite = 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111';

const options = {
  OCI_VERSION: '1.1',
  OCI_REPO1: 'conformance/repo1',
  OCI_REPO2: 'conformance/repo2',
  OCI_USERNAME: 'admin',
  OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
  OCI_API_MANIFESTS_TAG_PARAM: 'true',
  OCI_API_BLOBS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
  OCI_DATA_SPARSE: 'false',
  OCI_DATA_SHA512: 'true',
};

describe('the OCI conformance suite', { skip: missing('go') }, async () => {
  const directory = await tempDirectory();

  before(() => runClient('go', ['install', suite], { env: { GOBIN: directory } }));

  for (const tls of [false, true]) {
    it(`passes over ${tls ? 'TLS' : 'plain HTTP'}, with no failure and nothing skipped`, async (test) => {
      const port = await freePort();
      const data = join(directory, `data-${port}`);
      const results = join(directory, `results-${port}`);
      await mkdir(results);
      const host = `127.0.0.1:${port}`;
      const external = tls
        ? ['--external-url', `https://${host}`]
        : ['--external-url', `http://${host}`, '--no-tls'];
      const origin = await startProgram('dtr', ['serve', '--data', data, '--listen', host, ...external]);
      try {
        const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
        await runClient('curl', [
          ...['--silent', '--fail', '--insecure', '-H', `Authorization: ${basic(`admin:${password}`)}`],
          ...['-H', 'Content-Type: application/json', '-d', '{"name":"conformance","isOrg":true}'],
          `${external[1]}/api/v0/accounts`,
        ]);
        await runClient(join(directory, 'conformance'), [], {
          env: {
            ...options,
            OCI_REGISTRY: host,
            OCI_TLS: tls ? 'enabled' : 'disabled',
            SSL_CERT_FILE: join(data, 'ca.pem'),
            OCI_PASSWORD: password,
            OCI_RESULTS_DIR: results,
          },
        });
        const report = await readFile(join(results, 'junit.xml'), 'utf8');
        const count = (name: string) =>
          Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(report)?.[1] ?? 0);
        const summary = `${count('tests')} tests, ${count('failures')} failures, ${count('errors')} errors, ${count('skipped')} skipped`;
        test.diagnostic(`conformance: ${summary}`);
        assert.ok(count('tests') > 800, summary);
        assert.deepEqual([count('failures'), count('errors'), count('skipped')], [0, 0, 0]);
      } finally {
        await origin.stop();
      }
    });
  }
});
