/** What the visibility of a repository means. */
export const visibilities = [
  { value: 'private', title: 'Private', text: 'Only who was given access may pull.' },
  { value: 'public', title: 'Public', text: 'Everybody may pull.' },
] as const;
