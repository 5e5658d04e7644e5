/** A registry client for programs under test: plain HTTP, with a token of its own that it renews. */
import { type Digest, digestOf } from '../../src/shared/distribution/digest.ts';
import { basic, imageMediaType } from './origin.ts';

export interface RegistryClient {
  readonly url: string;
  /** Rejects when the connection breaks. */
  request(method: string, path: string, init?: RequestInit): Promise<Response>;
}

/** `scopes` are those of the token server, such as `repository:admin/app:*`. */
export function registryClient(url: string, credentials: string, scopes: readonly string[]): RegistryClient {
  let token: Promise<string> | undefined;
  const authorize = async () => {
    const query = new URLSearchParams([
      ['service', new URL(url).host],
      ...scopes.map((scope) => ['scope', scope] as [string, string]),
    ]);
    const response = await fetch(`${url}/auth/token?${query}`, {
      headers: { Authorization: basic(credentials) },
    });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { token: string }).token;
  };
  return {
    url,
    request: async (method, path, init = {}) => {
      token ??= authorize();
      const headers = new Headers(init.headers);
      headers.set('Authorization', `Bearer ${await token}`);
      return fetch(new URL(path, url), { redirect: 'manual', ...init, method, headers });
    },
  };
}

/** Uploads a blob by POST, PATCH and PUT, as docker does. Rejects when it is not acknowledged. */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  bytes: Uint8Array,
): Promise<Digest> {
  const digest = digestOf(bytes);
  const begun = await expectStatus(await client.request('POST', `/v2/${repository}/blobs/uploads/`), 202);
  const session = begun.headers.get('location') as string;
  await expectStatus(await client.request('PATCH', session, { body: Buffer.from(bytes) }), 202);
  await expectStatus(await client.request('PUT', `${session}?digest=${digest}`), 201);
  return digest;
}

/** The manifest of an image; the first of the blobs is its configuration. */
export function imageManifest(blobs: readonly { digest: Digest; size: number }[]): Buffer {
  const [config, ...layers] = blobs;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageMediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: layers.map((layer) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer })),
    }),
  );
}

/** Rejects when it is not acknowledged. */
export async function putManifest(
  client: RegistryClient,
  repository: string,
  tag: string,
  manifest: Buffer,
): Promise<void> {
  const put = await client.request('PUT', `/v2/${repository}/manifests/${tag}`, {
    body: new Uint8Array(manifest),
    headers: { 'Content-Type': imageMediaType },
  });
  await expectStatus(put, 201);
}

/** The response, its body read. @throws an error with the body when the status is another */
export async function expectStatus(response: Response, status: number): Promise<Response> {
  const text = await response.text();
  if (response.status === status) return response;
  throw new Error(`${response.status} instead of ${status}: ${text}`);
}
