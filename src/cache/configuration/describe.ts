/** What a configuration means, in sentences: for `--check`. */
import { formatBytes } from '../../shared/byte-size.ts';
import type { ListenAddress } from '../../shared/http/shutdown.ts';
import type { CacheConfiguration } from '../configuration.ts';

export function describeConfiguration(configuration: CacheConfiguration): string[] {
  const { tls, host, rootDirectory, debug } = configuration;
  return [
    `listens on ${where(configuration.listen)}, ${tls === undefined ? 'plain HTTP' : 'HTTPS'}`,
    ...(host === undefined ? [] : [`takes commands of its origins that are signed for ${host}`]),
    rootDirectory === undefined ? 'keeps blobs in memory' : `keeps blobs in ${rootDirectory}`,
    ...evictions(configuration),
    ...configuration.upstreams.map(({ originHost, hosts }) => {
      const order = [...hosts, ...(originHost === undefined ? [] : [`${originHost}, the origin`])];
      return `asks ${order.join(', then ')}`;
    }),
    `trusts the system's CAs${configuration.cas.length === 0 ? '' : ` and ${configuration.cas.length} more`}`,
    ...(debug === undefined ? [] : [`shows health and metrics on ${where(debug.listen)}`]),
    ...configuration.notes,
    'good',
  ];
}

function evictions({ blobTtlMs, maxAgeMs, maxSizeBytes, watermarks }: CacheConfiguration): string[] {
  const lines: string[] = [];
  if (blobTtlMs !== undefined) lines.push(`deletes blobs not pulled for ${blobTtlMs / 1000} s`);
  if (maxAgeMs !== undefined) lines.push(`deletes blobs fetched ${maxAgeMs / 1000} s ago`);
  if (maxSizeBytes !== undefined) lines.push(`keeps at most ${formatBytes(maxSizeBytes)}`);
  if (watermarks !== undefined) {
    const percent = (fraction: number) => `${Math.round(fraction * 1000) / 10}%`;
    lines.push(`frees a disk that is ${percent(watermarks.high)} full down to ${percent(watermarks.low)}`);
  }
  return lines.length === 0 ? ['deletes nothing by itself'] : lines;
}

function where({ host, port }: ListenAddress): string {
  return `${host ?? ''}:${port}`;
}
