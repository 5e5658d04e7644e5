/** What is behind a tag: the commands that pull it, its platforms, and the artifacts that refer to it. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Badge, Command, DigestText, Time } from '../components/bits.tsx';
import { Button } from '../components/button.tsx';
import { formatBytes } from '../components/numbers.ts';
import { Failed, Loading } from '../components/states.tsx';
import { StartPrefetch } from '../jobs/start-prefetch.tsx';
import { useAccount } from '../session/session.ts';
import { kindOfArtifact } from './artifact-kinds.ts';
import styles from './repositories.module.css';
import type { RepositoryPath } from './repository.ts';

export function TagDetails({ tag, path }: { tag: Schemas['Tag']; path: RepositoryPath }) {
  const { namespace, name } = path;
  const { isAdmin } = useAccount();
  const image = `${location.host}/${namespace}/${name}`;
  const platforms = (tag.manifest.platforms ?? []).filter(({ os }) => os !== 'unknown');
  return (
    <div className={styles.expanded}>
      <div className={styles.commands}>
        <p className={styles.detailTitle}>Pull by tag, or exactly this image</p>
        <Command text={`docker pull ${image}:${tag.name}`} />
        <Command text={`docker pull ${image}@${tag.digest}`} />
        {isAdmin && <Prefetch tag={tag.name} repository={`${namespace}/${name}`} />}
      </div>
      {platforms.length > 0 && (
        <div>
          <p className={styles.detailTitle}>Platforms</p>
          <div className={styles.platformGrid}>
            {platforms.map((platform) => (
              <PlatformLine key={platform.digest} platform={platform} />
            ))}
          </div>
        </div>
      )}
      <Referrers digest={tag.digest} path={path} />
    </div>
  );
}

function Prefetch({ tag, repository }: { tag: string; repository: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Button small onClick={() => setOpen(true)}>
        Prefetch to caches
      </Button>
      <StartPrefetch open={open} onClose={() => setOpen(false)} repository={repository} reference={tag} />
    </div>
  );
}

function PlatformLine({ platform }: { platform: Schemas['Platform'] }) {
  const { os, architecture, variant, size, digest } = platform;
  return (
    <>
      <span>{[os, architecture, variant].filter(Boolean).join('/')}</span>
      <span>{size === undefined ? 'not pushed' : formatBytes(size)}</span>
      <DigestText digest={digest} />
    </>
  );
}

function Referrers({ digest, path }: { digest: string; path: RepositoryPath }) {
  const referrers = useQuery({
    queryKey: ['repository', path.namespace, path.name, 'referrers', digest],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/repositories/{namespace}/{reponame}/manifests/{reference}/referrers', {
          params: {
            path: { namespace: path.namespace, reponame: path.name, reference: digest },
            query: { pageSize: 100 },
          },
        }),
      ),
  });
  return (
    <div>
      <p className={styles.detailTitle}>Signatures, SBOMs and other artifacts of this image</p>
      {referrers.isPending && <Loading rows={1} />}
      {referrers.isError && <Failed error={referrers.error} onRetry={() => referrers.refetch()} />}
      {referrers.data?.length === 0 && <p>None refers to it.</p>}
      <ul className={styles.artifacts}>
        {referrers.data?.map((artifact) => (
          <li key={artifact.digest}>
            <Badge kind="accent">{kindOfArtifact(artifact.artifactType)}</Badge>
            <strong>{artifact.artifactType ?? artifact.mediaType}</strong>
            <DigestText digest={artifact.digest} />
            {artifact.size !== undefined && <span>{formatBytes(artifact.size)}</span>}
            {artifact.createdAt !== undefined && <Time at={artifact.createdAt} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
