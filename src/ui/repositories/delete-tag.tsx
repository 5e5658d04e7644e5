/** Deleting a tag, or the image with all its tags: which, and what follows. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Check } from '../components/choice.tsx';
import { ConfirmByName } from '../components/confirm-by-name.tsx';
import { Name } from '../components/dialog.tsx';
import { plural } from '../components/numbers.ts';
import { say } from '../shell/announcements.ts';
import type { RepositoryPath } from './repository.ts';

export function DeleteTag({
  tag,
  path,
  open,
  onClose,
}: {
  tag: Schemas['Tag'];
  path: RepositoryPath;
  open: boolean;
  onClose: () => void;
}) {
  const queryClient = useQueryClient();
  const [withImage, setWithImage] = useState(false);
  const { namespace, name } = path;
  const reponame = name;
  const image = useQuery({
    queryKey: ['repository', namespace, name, 'manifest', tag.digest],
    queryFn: () =>
      dataOf(
        api.GET('/api/v0/repositories/{namespace}/{reponame}/manifests/{reference}', {
          params: { path: { namespace, reponame, reference: tag.digest } },
        }),
      ),
    enabled: open,
  });
  const others = (image.data?.tags ?? []).filter((other) => other !== tag.name);
  const referrers = image.data?.referrersCount ?? 0;
  return (
    <ConfirmByName
      open={open}
      onClose={onClose}
      title={
        <>
          Delete <Name>{tag.name}</Name>
        </>
      }
      name={tag.name}
      action={withImage ? 'Delete image' : 'Delete tag'}
      consequences={
        <>
          <li>
            <span>
              <Name>
                docker pull {location.host}/{namespace}/{name}:{tag.name}
              </Name>{' '}
              finds nothing any more. What was pulled before goes on running.
            </span>
          </li>
          {!withImage && others.length > 0 && (
            <li>
              <span>
                The image stays under {plural(others.length, 'other tag')}: <Name>{shorten(others)}</Name>
              </span>
            </li>
          )}
          {!withImage && others.length === 0 && (
            <li>
              <span>
                The image stays and can be pulled by its digest, until untagged images are collected.
              </span>
            </li>
          )}
          {withImage && others.length > 0 && (
            <li>
              <span>
                {plural(others.length, 'other tag')} of the same image {others.length === 1 ? 'is' : 'are'}{' '}
                deleted with it: <Name>{shorten(others)}</Name>
              </span>
            </li>
          )}
          {withImage && (
            <li>
              <span>The image cannot be pulled by its digest any more, in no cache.</span>
            </li>
          )}
          {withImage && referrers > 0 && (
            <li>
              <span>
                {plural(referrers, 'signature or SBOM', 'signatures and SBOMs')} lose what they refer to.
              </span>
            </li>
          )}
        </>
      }
      options={
        <Check
          title="Delete the image itself, too, with all its tags"
          checked={withImage}
          onChecked={setWithImage}
        />
      }
      onConfirm={async () => {
        if (withImage) {
          await dataOf(
            api.DELETE('/api/v0/repositories/{namespace}/{reponame}/manifests/{reference}', {
              params: { path: { namespace, reponame, reference: tag.digest } },
            }),
          );
        } else {
          await dataOf(
            api.DELETE('/api/v0/repositories/{namespace}/{reponame}/tags/{tag}', {
              params: { path: { namespace, reponame, tag: tag.name } },
            }),
          );
        }
        say(`Deleted ${tag.name}`);
        await queryClient.invalidateQueries({ queryKey: ['repository', namespace, name] });
      }}
    />
  );
}

function shorten(tags: readonly string[]): string {
  const shown = tags.slice(0, 5).join(', ');
  return tags.length > 5 ? `${shown} and ${tags.length - 5} more` : shown;
}
