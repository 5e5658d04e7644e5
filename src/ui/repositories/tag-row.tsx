/** One tag: what it names, the command that pulls it, and behind it its platforms and what refers to it. */
import { ChevronRight, Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { Badge, CopyButton, DigestText, Time } from '../components/bits.tsx';
import { IconButton } from '../components/button.tsx';
import { Row } from '../components/list.tsx';
import { formatBytes } from '../components/numbers.ts';
import { DeleteTag } from './delete-tag.tsx';
import styles from './repositories.module.css';
import type { RepositoryPath } from './repository.ts';
import { TagDetails } from './tag-details.tsx';

const platformsShown = 4;

export function TagRow({
  tag,
  path,
  mayDelete,
}: {
  tag: Schemas['Tag'];
  path: RepositoryPath;
  mayDelete: boolean;
}) {
  const [open, setOpen] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const details = useId();
  const platforms = platformsOf(tag.manifest);
  const size = tag.manifest.size;
  return (
    <Row
      lead={
        <IconButton
          label={open ? `Hide the details of ${tag.name}` : `Show the details of ${tag.name}`}
          aria-expanded={open}
          aria-controls={details}
          onClick={() => setOpen(!open)}
        >
          <ChevronRight size={16} className={styles.chevron} aria-hidden="true" />
        </IconButton>
      }
      title={
        <>
          <span className={styles.tagName}>{tag.name}</span>
          <CopyButton
            text={`docker pull ${location.host}/${path.namespace}/${path.name}:${tag.name}`}
            what={`the command that pulls ${tag.name}`}
          />
          <span className={styles.platforms}>
            {platforms.slice(0, platformsShown).map((platform) => (
              <Badge key={platform}>{platform}</Badge>
            ))}
            {platforms.length > platformsShown && <Badge>+{platforms.length - platformsShown}</Badge>}
          </span>
        </>
      }
      text={
        <span className={styles.meta}>
          <DigestText digest={tag.digest} />
          <span>
            pushed by {tag.author || 'somebody'} <Time at={tag.updatedAt} />
          </span>
        </span>
      }
      side={
        <>
          <span className={styles.size}>{size === undefined ? '' : formatBytes(size)}</span>
          {mayDelete && (
            <IconButton label={`Delete ${tag.name}`} onClick={() => setDeleting(true)}>
              <Trash2 size={16} aria-hidden="true" />
            </IconButton>
          )}
        </>
      }
      below={
        <>
          <div id={details} hidden={!open}>
            {open && <TagDetails tag={tag} path={path} />}
          </div>
          <DeleteTag tag={tag} path={path} open={deleting} onClose={() => setDeleting(false)} />
        </>
      }
    />
  );
}

/** Attestations of a build lie in an index as images for a platform that is none. */
function platformsOf({ platforms, os, architecture }: Schemas['Manifest']): string[] {
  if (platforms !== undefined && platforms.length > 0) {
    const real = platforms.filter((platform) => platform.os !== 'unknown');
    return [...new Set(real.map((one) => [one.os, one.architecture, one.variant].filter(Boolean).join('/')))];
  }
  return os && architecture ? [`${os}/${architecture}`] : [];
}
