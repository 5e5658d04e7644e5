/** `dtr repo tags …` and `dtr repo manifests …`: what is in a repository. */
import type { Command } from 'commander';
import type { components } from '../../origin/api/contract.d.ts';
import { formatBytes } from '../../shared/byte-size.ts';
import { given } from '../api.ts';
import { type Asking, destructiveVerb, verb } from '../command.ts';
import { localTime, type View } from '../output.ts';
import { parseRepository } from '../repository.ts';

type Schemas = components['schemas'];

const tagView: View<Schemas['Tag']> = {
  id: ({ name }) => name,
  columns: [
    ['Tag', ({ name }) => name],
    ['Digest', ({ digest }) => digest],
    ['Size', ({ manifest }) => sizeOf(manifest)],
    ['Platforms', ({ manifest }) => platformsOf(manifest)],
    ['Pushed', ({ updatedAt }) => localTime(updatedAt)],
    ['By', ({ author }) => author],
  ],
};

const manifestView: View<Schemas['Manifest']> = {
  id: ({ digest }) => digest,
  columns: [
    ['Digest', ({ digest }) => digest],
    ['Type', ({ artifactType, mediaType = '' }) => artifactType ?? mediaType],
    ['Size', sizeOf],
    ['Platforms', platformsOf],
    ['Pushed', ({ createdAt }) => (createdAt === undefined ? '' : localTime(createdAt))],
    ['By', ({ author = '' }) => author],
  ],
  details: [
    ['Tags', ({ tags }) => tags?.join(' ')],
    ['Referrers', ({ referrersCount }) => referrersCount?.toString()],
  ],
};

function sizeOf({ size }: Schemas['Manifest']): string {
  return size === undefined ? '' : formatBytes(size);
}

function platformsOf({ os, architecture, platforms }: Schemas['Manifest']): string {
  if (platforms === undefined)
    return os === undefined || architecture === undefined ? '' : `${os}/${architecture}`;
  return platforms
    .map((one) => [one.os, one.architecture, ...(one.variant === undefined ? [] : [one.variant])].join('/'))
    .join(' ');
}

export function addTagCommands(tags: Command, asking: Asking): void {
  // `dtr repo tags acme/web` is short for `dtr repo tags list acme/web`: no repository is named `list`.
  verb(tags, 'list <repository>', 'list its tags', { isDefault: true })
    .option('--prefix <text>', 'only those that begin with it')
    .action(
      asking(async ({ api, output }, repository: string, { prefix }: { prefix?: string }) => {
        const query = { includeManifests: true, ...given({ query: prefix }) };
        const path = parseRepository(repository);
        output.list(
          await api.list('GET /api/v0/repositories/{namespace}/{reponame}/tags', { path, query }),
          tagView,
        );
      }),
    );
  verb(tags, 'show <repository> <tag>', 'show one')
    .option('--os <os>', 'of an index: the image for this operating system')
    .option('--arch <architecture>', 'of an index: the image for this architecture')
    .action(
      asking(
        async (
          { api, output },
          repository: string,
          tag: string,
          { os, arch }: { os?: string; arch?: string },
        ) => {
          const path = { ...parseRepository(repository), tag };
          const query = given({ os, arch });
          const found = await api.ask('GET /api/v0/repositories/{namespace}/{reponame}/tags/{tag}', {
            path,
            query,
          });
          for (const one of found) output.record(one, tagView, found);
        },
      ),
    );
  destructiveVerb(tags, 'remove <repository> <tag>', 'delete one; the image stays, by its digest').action(
    asking(async ({ api, output, terminal }, repository: string, tag: string, options: { yes?: true }) => {
      const path = { ...parseRepository(repository), tag };
      await api.ask('GET /api/v0/repositories/{namespace}/{reponame}/tags/{tag}', { path });
      await terminal.confirm(`the tag ${tag} of ${repository}`, tag, options);
      await api.ask('DELETE /api/v0/repositories/{namespace}/{reponame}/tags/{tag}', { path });
      output.say(`the tag ${tag} of ${repository} is removed`);
    }),
  );
}

export function addManifestCommands(manifests: Command, asking: Asking): void {
  verb(manifests, 'list <repository>', 'list its manifests', { isDefault: true }).action(
    asking(async ({ api, output }, repository: string) => {
      const path = parseRepository(repository);
      output.list(
        await api.list('GET /api/v0/repositories/{namespace}/{reponame}/manifests', { path }),
        manifestView,
      );
    }),
  );
  verb(manifests, 'show <repository> <tag|digest>', 'show one').action(
    asking(async ({ api, output }, repository: string, reference: string) => {
      const path = { ...parseRepository(repository), reference };
      const manifest = await api.ask(
        'GET /api/v0/repositories/{namespace}/{reponame}/manifests/{reference}',
        { path },
      );
      output.record(manifest, manifestView);
    }),
  );
  verb(
    manifests,
    'referrers <repository> <tag|digest>',
    'list signatures, SBOMs and other artifacts about one',
  ).action(
    asking(async ({ api, output }, repository: string, reference: string) => {
      const path = { ...parseRepository(repository), reference };
      const list = await api.list(
        'GET /api/v0/repositories/{namespace}/{reponame}/manifests/{reference}/referrers',
        { path },
      );
      output.list(list, manifestView);
    }),
  );
  destructiveVerb(manifests, 'remove <repository> <digest>', 'delete one with its tags').action(
    asking(async ({ api, output, terminal }, repository: string, digest: string, options: { yes?: true }) => {
      const path = { ...parseRepository(repository), reference: digest };
      await api.ask('GET /api/v0/repositories/{namespace}/{reponame}/manifests/{reference}', { path });
      await terminal.confirm(`${digest} of ${repository}`, digest, options);
      await api.ask('DELETE /api/v0/repositories/{namespace}/{reponame}/manifests/{reference}', { path });
      output.say(`${digest} of ${repository} is removed`);
    }),
  );
}
