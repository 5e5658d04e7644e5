/**
 * The original's management API, as its own published description has it (DTR 2.5), below `/api/v0`: operations with their query
 * parameters, bodies and answers, and the members of shapes (`?`: may be left out). Scripts written for it must go on working.
 */

export const originalOperations = `
DELETE /accounts/{namespace} |  |  | 401; 403; 404 NO_SUCH_ACCOUNT
DELETE /accounts/{namespace}/repositories |  |  | 401; 403; 404 NO_SUCH_ACCOUNT
GET /accounts/{namespace}/webhooks |  |  | 200 responses.Webhook[]; 401; 403; 404 NO_SUCH_ACCOUNT
GET /accounts/{orgname}/teams/{teamname}/repositoryAccess | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.ListTeamRepoAccess; 400; 401; 403; 404 NO_SUCH_TEAM
GET /accounts/{username}/repositoryAccess/{namespace}/{reponame} |  |  | 200 responses.RepoUserAccess; 401; 403; 404 NO_SUCH_REPOSITORY
GET /accounts/{username}/settings |  |  | 200 responses.UserSettings; 401; 403; 404 NO_SUCH_USER
PATCH /accounts/{username}/settings |  | forms.UserSettings | 200; 400 INVALID_USER_SETTINGS; 401; 403; 404 NO_SUCH_USER
GET /api_tokens | pageStart:string, pageSize:integer, count:boolean, username:string |  | 200 responses.APIToken[]; 401; 403; 404 NO_SUCH_USER
POST /api_tokens | username:string | forms.CreateAPIToken | 200 responses.NewAPIToken; 401; 403
DELETE /api_tokens | username:string, usedbefore:string, generatedby:string |  | 200; 400 INVALID_PARAMETERS; 401; 403; 404 NO_SUCH_USER
GET /api_tokens/{hashedtoken} |  |  | 200 responses.APIToken; 401; 403; 404 NO_SUCH_API_TOKEN
DELETE /api_tokens/{hashedtoken} |  |  | 200; 401; 403; 404 NO_SUCH_API_TOKEN
PATCH /api_tokens/{hashedtoken} |  | forms.UpdateAPIToken | 200 responses.APIToken; 401; 403; 404 NO_SUCH_API_TOKEN
GET /content_caches |  |  | 200 responses.ContentCache[]; 401; 403
POST /content_caches |  | forms.CreateContentCache | 201 responses.ContentCache; 400; 401; 403
GET /content_caches/{contentcacheuuid} |  |  | 200 responses.ContentCache; 401; 403; 404 NO_SUCH_CONTENT_CACHE
DELETE /content_caches/{contentcacheuuid} |  |  | 204; 401; 403; 404 NO_SUCH_CONTENT_CACHE
GET /crons |  |  | 200 tmpresponses.Crons
POST /crons |  | tmpforms.CronCreate | 202 tmpresponses.Cron
GET /crons/{action} |  |  | 200 tmpresponses.Cron
DELETE /crons/{action} |  |  | 204
GET /events | pageStart:string, pageSize:integer, count:boolean, publishedBefore:string, publishedAfter:string, actorId:string, eventType:string |  | 200 responses.Events; 400 INVALID_PARAMETERS; 401; 403
GET /index/autocomplete | query:string, includeRepositories:boolean, includeAccounts:boolean, namespace:string, limit:number |  | 200 responses.Autocomplete; 401
GET /index/dockersearch | q:string |  | 200 responses.DockerSearch; 401; 403
GET /jobs | action:string, worker:string, running:string, start:integer, limit:integer |  | 200 tmpresponses.Jobs
POST /jobs |  | tmpforms.JobSubmission | 202 tmpresponses.Job
GET /jobs/{jobID} |  |  | 200 tmpresponses.Job
DELETE /jobs/{jobID} |  |  | 204
POST /jobs/{jobID}/cancel |  |  | 204
GET /jobs/{jobID}/logs | stream:boolean, offset:integer, limit:integer |  | 200 tmpresponses.JobLog[]
GET /meta/cluster_status |  |  | 200 responses.ClusterStatus; 401; 403
GET /meta/features |  |  | 200 responses.Features; 401
GET /meta/settings |  |  | 200 responses.Settings; 401; 403
POST /meta/settings |  | forms.Settings | 202; 400 INVALID_SETTINGS; 401
GET /repositories | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.Repositories; 401
GET /repositories/{namespace} | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.Repositories; 401; 404 NO_SUCH_ACCOUNT
POST /repositories/{namespace} |  | forms.CreateRepo | 201 responses.Repository; 400 REPOSITORY_EXISTS; 401; 403; 404 NO_SUCH_ACCOUNT
GET /repositories/{namespace}/{reponame} |  |  | 200 responses.Repository; 401; 404 NO_SUCH_REPOSITORY
DELETE /repositories/{namespace}/{reponame} | domain:string |  | 204; 401; 403; 404 NO_SUCH_REPOSITORY
PATCH /repositories/{namespace}/{reponame} |  | forms.UpdateRepo | 200 responses.Repository; 400 INVALID_REPOSITORY_VISIBILITY; 401; 403; 404 NO_SUCH_REPOSITORY
GET /repositories/{namespace}/{reponame}/manifests | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.Manifest[]; 401; 404 NO_SUCH_REPOSITORY
DELETE /repositories/{namespace}/{reponame}/manifests/{reference} |  |  | 204; 400 INVALID_DIGEST; 401; 403; 404 NO_SUCH_MANIFEST
GET /repositories/{namespace}/{reponame}/tags | pageStart:string, pageSize:integer, count:boolean, includeManifests:boolean, domain:string |  | 200 responses.Tag[]; 401; 403; 404 NO_SUCH_REPOSITORY
GET /repositories/{namespace}/{reponame}/tags/{tag} | domain:string, os:string, arch:string |  | 200 responses.Tag[]; 401; 403; 404 NO_SUCH_TAG
DELETE /repositories/{namespace}/{reponame}/tags/{tag} | domain:string |  | 204; 401; 403; 404 NO_SUCH_TAG; 409 TAG_IN_NOTARY
GET /repositories/{namespace}/{reponame}/teamAccess | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.ListRepoTeamAccess; 401; 403; 404 NO_SUCH_REPOSITORY
PUT /repositories/{namespace}/{reponame}/teamAccess/{teamname} |  | forms.Access | 200 responses.ListRepoTeamAccess; 400; 401; 403; 404 NO_SUCH_TEAM
DELETE /repositories/{namespace}/{reponame}/teamAccess/{teamname} |  |  | 204; 400; 401; 403; 404 NO_SUCH_TEAM
GET /repositories/{namespace}/{reponame}/webhooks |  |  | 200 responses.Webhook[]; 401; 403; 404 NO_SUCH_REPOSITORY
GET /repositoryNamespaces/{namespace}/teamAccess | pageStart:string, pageSize:integer, count:boolean |  | 200 responses.ListRepoNamespaceTeamAccess; 400; 401; 403; 404 NO_SUCH_ACCOUNT
GET /repositoryNamespaces/{namespace}/teamAccess/{teamname} |  |  | 200 responses.NamespaceTeamAccess; 401; 403; 404 NO_SUCH_NAMESPACE_TEAM_ACCESS
PUT /repositoryNamespaces/{namespace}/teamAccess/{teamname} |  | forms.Access | 200 responses.NamespaceTeamAccess; 400; 401; 403; 404 NO_SUCH_TEAM
DELETE /repositoryNamespaces/{namespace}/teamAccess/{teamname} |  |  | 204; 401; 403; 404 NO_SUCH_TEAM
GET /webhooks | webhookType:string |  | 200 responses.Webhook[]; 400 INVALID_JSON; 401; 403
POST /webhooks |  | forms.Webhook | 200 responses.Webhook[]; 400 INVALID_JSON; 401; 403; 404 NO_SUCH_ACCOUNT
POST /webhooks/test |  | forms.WebhookTestPayload | 200; 400 INVALID_JSON; 401; 403
POST /webhooks/update |  | forms.WebhookUpdate | 200 responses.Webhook[]; 400 INVALID_JSON; 401; 403
DELETE /webhooks/{webhook} |  |  | 200; 401; 403; 404 NO_SUCH_WEBHOOK
`;

export const originalShapes = `
forms.Access { accessLevel: read-only|read-write|admin }
forms.CreateAPIToken { tokenLabel?: string }
forms.CreateContentCache { host: string, name: string }
forms.CreateRepo { enableManifestLists: boolean, immutableTags: boolean, longDescription: string, name: string, scanOnPush: boolean, shortDescription: string, visibility?: public|private }
forms.Settings { anonymizeAnalytics: boolean, createRepositoryOnPush: boolean, disableBackupWarning: boolean, dtrHost: string, jobHistoryToKeep: integer, reportAnalytics: boolean, scanningEnableAutoRecheck: boolean, scanningEnabled: boolean, scanningSyncOnline: boolean, sso: boolean, webTLSCA: string, webTLSCert: string, webTLSKey: string }
forms.UpdateAPIToken { isActive?: boolean, tokenLabel?: string }
forms.UpdateRepo { enableManifestLists?: boolean, immutableTags: boolean, longDescription?: string, scanOnPush?: boolean, shortDescription?: string, visibility?: public|private }
forms.UserSettings { contentCacheUUID?: string }
responses.APIToken { createdAt: date-time, creatorUa: string, generatedBy: string, hashedToken: string, isActive: boolean, lastUsed: date-time, tokenLabel: string }
responses.Account { fullName: string, id: string, isActive?: boolean, isAdmin?: boolean, isImported: boolean, isOrg: boolean, membersCount?: integer, name: string }
responses.Autocomplete { accountResults?: responses.Account[], repositoryResults?: responses.Repository[] }
responses.ClusterStatus { gc_lock_holder: string, replica_health: object, replica_readonly: object, replica_timestamp: object, rethink_system_tables: object }
responses.ContentCache { host: string, id: string, name: string }
responses.DockerSearch { num_results: integer, query: string, results: responses.DockerRepository[] }
responses.Events { events: schema.Event[] }
responses.Features { db_version: integer, metadataStoreOptedIn: boolean, mirroringLicensed: boolean, onlineGCEnabled: boolean, promotionLicensed: boolean, scanningEnabled: boolean, scanningLicensed: boolean, ucpHost: string }
responses.ListRepoNamespaceTeamAccess { namespace: string, teamAccessList: responses.TeamAccess[] }
responses.ListRepoTeamAccess { repository: responses.Repository, teamAccessList: responses.TeamAccess[] }
responses.ListTeamRepoAccess { repositoryAccessList: responses.RepoAccess[], team: responses.Team }
responses.Manifest { architecture?: string, author?: string, configDigest?: string, configMediaType?: string, createdAt?: date-time, digest: string, dockerfile?: responses.DockerfileLine[], mediaType?: string, os?: string, osVersion?: string, size?: integer }
responses.NamespaceTeamAccess { accessLevel: read-only|read-write|admin, namespace: string, team: responses.Team }
responses.NewAPIToken { createdAt: date-time, creatorUa: string, generatedBy: string, hashedToken: string, isActive: boolean, lastUsed: date-time, token: string, tokenLabel: string }
responses.RepoAccess { accessLevel: read-only|read-write|admin, repository: responses.Repository }
responses.RepoUserAccess { accessLevel: read-only|read-write|admin, repository: responses.Repository, user: responses.Account }
responses.Repositories { repositories: responses.Repository[] }
responses.Repository { enableManifestLists: boolean, id: string, immutableTags: boolean, longDescription?: string, name: string, namespace: string, namespaceType: user|organization, pulls: integer, pushes: integer, scanOnPush: boolean, shortDescription: string, visibility: public|private }
responses.Settings { anonymizeAnalytics: boolean, createRepositoryOnPush: boolean, disableBackupWarning: boolean, dtrHost: string, httpProxy: string, httpsProxy: string, jobHistoryToKeep: integer, logHost: string, logLevel: string, logProtocol: string, nfsHost: string, nfsPath: string, noProxy: string, replicaID: string, replicaSettings: object, reportAnalytics: boolean, scanningEnableAutoRecheck: boolean, scanningEnabled: boolean, scanningSyncOnline: boolean, sso: boolean, storageVolume: string, webTLSCA: string, webTLSCert: string }
responses.Tag { author: string, components: schema.ScannerComponent[], createdAt: date-time, digest: string, hashMismatch: boolean, inNotary: boolean, licenses: schema.ScannerLicense[], manifest: responses.Manifest, mirroring?: responses.Mirroring, name: string, promotion?: responses.Promotion, updatedAt: date-time, vuln_summary?: responses.OldScanSummary }
responses.Team { clientUserIsMember: boolean, id: string }
responses.TeamAccess { accessLevel: read-only|read-write|admin, team: responses.Team }
responses.UserSettings { ContentCacheUUID: string }
schema.Event { actor: string, id: string, object: schema.Object, publishedAt: date-time, target?: schema.Object, type: string }
schema.Object { content?: string, id: string, name?: string, type: string }
`;
