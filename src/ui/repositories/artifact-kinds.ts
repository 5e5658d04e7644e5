/** What kind of artifact a type names, in a word. The types are those that cosign, notation, syft, trivy and buildkit write. */
export function kindOfArtifact(type: string | undefined): string {
  if (type === undefined) return 'artifact';
  if (/sbom|spdx|cyclonedx/i.test(type)) return 'SBOM';
  if (/signature|sigstore|simplesigning|cosign|notary/i.test(type)) return 'signature';
  if (/in-toto|attestation|slsa|dsse/i.test(type)) return 'attestation';
  if (/sarif|vuln|openvex/i.test(type)) return 'scan';
  return 'artifact';
}
