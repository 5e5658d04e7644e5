/** Which platforms of an image are fetched. */
import { TextField } from '../components/field.tsx';

export function PlatformsField({
  value,
  onText,
  error,
}: {
  value: string;
  onText: (text: string) => void;
  error: string | undefined;
}) {
  return (
    <TextField
      label="Platforms"
      optional
      value={value}
      onText={onText}
      error={error}
      placeholder="linux/amd64 linux/arm64"
      hint="Without any, all of them."
      mono
    />
  );
}

/** What somebody typed: one after another, with spaces or commas between. */
export function platformsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((platform) => platform !== '');
}
