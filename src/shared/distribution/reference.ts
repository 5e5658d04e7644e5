/** `<reference>`: a tag or a digest (distribution spec, "Pulling manifests"). */
import { DomainError } from '../errors.ts';
import { type Digest, isDigest, parseDigest } from './digest.ts';

export type Tag = string & { readonly __brand: 'Tag' };
export type Reference = { readonly tag: Tag } | { readonly digest: Digest };

const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** @throws DomainError `tag-invalid` */
export function parseTag(text: string): Tag {
  if (tagGrammar.test(text)) return text as Tag;
  throw new DomainError(
    'tag-invalid',
    'a tag has at most 128 characters: letters, digits, _ . and -, and does not begin with . or -',
    { detail: { tag: text.slice(0, 129) } },
  );
}

/** A text with a colon can only be a digest. @throws DomainError `tag-invalid`, `digest-invalid` */
export function parseReference(text: string): Reference {
  if (isDigest(text)) return { digest: text };
  return text.includes(':') ? { digest: parseDigest(text) } : { tag: parseTag(text) };
}
