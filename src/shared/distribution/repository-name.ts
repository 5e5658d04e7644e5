/** Repository names (distribution spec, "Pulling manifests": `<name>`). */
import { DomainError } from '../errors.ts';

export type RepositoryName = string & { readonly __brand: 'RepositoryName' };

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const grammar = new RegExp(`^${component}(?:/${component})*$`);
const maximumLength = 255;

export function isRepositoryName(text: unknown): text is RepositoryName {
  return typeof text === 'string' && text.length <= maximumLength && grammar.test(text);
}

/** @throws DomainError `name-invalid` */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw new DomainError(
    'name-invalid',
    `a repository name has at most ${maximumLength} characters: lower-case letters and digits, separated by one of . _ __ - or /`,
    { detail: { name: text.slice(0, maximumLength + 1) } },
  );
}
