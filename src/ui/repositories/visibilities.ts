/** What the visibility of a repository means. */
export const visibilities = [
  { value: 'private', title: 'Private', text: 'Only those with access may pull.' },
  { value: 'public', title: 'Public', text: 'Everybody may pull.' },
] as const;
