/** Names as long as they may be, with and without places where a line can break: what a page must take without falling apart. */
import type { DemoRegistry } from './demo-registry.ts';

const words = 'whose-name-is-as-long-as-such-a-name-may-be';

export const long = {
  organization: `an-organization-${words}`,
  repository: `arepository${'withoutanyplacewherealinecouldbreak'.repeat(3)}`,
  team: `a-team-${words}-${words}`,
  user: `a-user-${words}-${words}`,
  tag: `a-tag-${words}-1.4.2-rc.1.${'0123456789abcdef'.repeat(4)}`,
};

const sentence = 'This is a description that somebody wrote with more care than a list has room for. ';

export async function makeLongNames({ ask, push, passwordOf }: DemoRegistry): Promise<void> {
  const fullName =
    'Maria Magdalena Alexandra von und zu Hohenstein-Wittgenstein-Berleburg, Department of Redundancy';
  await ask('POST', '/api/v0/accounts', { name: long.user, fullName, password: passwordOf(long.user) });
  await ask('POST', '/api/v0/accounts', {
    name: long.organization,
    fullName: `The organization of ${fullName}`,
    isOrg: true,
  });
  await ask('PUT', `/api/v0/accounts/${long.organization}/members/${long.user}`, { isAdmin: true });
  await ask('POST', `/api/v0/accounts/${long.organization}/teams`, {
    name: long.team,
    description: sentence.repeat(3).trim(),
  });
  await ask('PUT', `/api/v0/accounts/${long.organization}/teams/${long.team}/members/${long.user}`);
  await ask('POST', `/api/v0/repositories/${long.organization}`, {
    name: long.repository,
    shortDescription: sentence.repeat(3).trim(),
    visibility: 'public',
  });
  const repository = `${long.organization}/${long.repository}`;
  await ask('PATCH', `/api/v0/repositories/${repository}`, {
    longDescription: `# ${long.repository}\n\n${sentence.repeat(4)}\n\n\`\`\`\ndocker run --rm --read-only --tmpfs /tmp --publish 8080:8080 --env API_URL=https://api.example.com registry/image:1\n\`\`\`\n\n| Setting | Means |\n| --- | --- |\n| \`AN_ENVIRONMENT_VARIABLE_WITH_A_LONG_NAME\` | ${sentence} |\n`,
  });
  await ask('PUT', `/api/v0/repositories/${repository}/teamAccess/${long.team}`, {
    accessLevel: 'read-write',
  });
  await ask('PUT', `/api/v0/repositories/${repository}/userAccess/${long.user}`, {
    accessLevel: 'read-only',
  });
  await push(repository, long.tag);
  await ask('POST', `/api/v0/api_tokens?username=${long.user}`, {
    tokenLabel: `token${'ofamachine'.repeat(12)}`,
    access: 'read-write',
  });
  await ask('POST', `/api/v0/api_tokens?username=${long.user}`, {
    tokenLabel: sentence.trim(),
    access: 'read-only',
  });
  const host = `https://a-content-cache-${words}.${words}.frankfurt.europe.example.com:5000`;
  const cache = JSON.parse(
    await ask('POST', '/api/v0/content_caches', { name: `a-cache-${words}-${words}`, host }),
  ) as { id: string };
  await ask('POST', '/api/v0/content_cache_rules', {
    network: '2001:db8:1234:5678:9abc:def0:1234:5678',
    contentCacheUUID: cache.id,
    comment: sentence.repeat(2).trim(),
  });
  await ask('POST', '/api/v0/content_cache_prefetch_rules', {
    repository: `${long.organization}/*`,
    tag: `${long.tag.slice(0, 60)}*`,
    platforms: [
      'linux/amd64',
      'linux/arm64',
      'linux/arm/v7',
      'linux/ppc64le',
      'linux/s390x',
      'linux/riscv64',
    ],
    contentCaches: [cache.id],
  });
  await ask('POST', '/api/v0/jobs', {
    action: 'content-cache-prefetch',
    parameters: { repository, reference: long.tag, contentCaches: [cache.id] },
  });
}
