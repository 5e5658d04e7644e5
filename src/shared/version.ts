/** The version of this package: what origins and caches say they are. */
import metadata from '../../package.json' with { type: 'json' };

export const version: string = metadata.version;
