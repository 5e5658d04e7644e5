/** The commands that ask an origin, wherever it runs. */
import type { Command } from 'commander';
import { createAsking } from './command.ts';
import { addCacheCommands } from './commands/cache.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addEventCommands } from './commands/events.ts';
import { addJobCommands } from './commands/job.ts';
import { addLoginCommands } from './commands/login.ts';
import { addOrganizationCommands } from './commands/org.ts';
import { addPrefetchRuleCommands } from './commands/prefetch-rule.ts';
import { addRepositoryCommands } from './commands/repo.ts';
import { addRuleCommands } from './commands/rule.ts';
import { addSearchCommands } from './commands/search.ts';
import { addSettingsCommands } from './commands/settings.ts';
import { addSystemCommands } from './commands/system.ts';
import { addTokenCommands } from './commands/token.ts';
import { addUserCommands } from './commands/user.ts';
import { addWhyCommand } from './commands/why.ts';
import type { Surroundings } from './surroundings.ts';

export function addClientCommands(program: Command, surroundings: Surroundings): void {
  const asking = createAsking(surroundings);
  program.commandsGroup('Ask an origin:');
  addLoginCommands(program, asking, surroundings);
  addSettingsCommands(program, asking);
  addRepositoryCommands(program, asking);
  addSearchCommands(program, asking);
  addTokenCommands(program, asking);
  addOrganizationCommands(program, asking);
  addUserCommands(program, asking);
  addCacheCommands(program, asking);
  addRuleCommands(program, asking);
  addPrefetchRuleCommands(program, asking);
  addJobCommands(program, asking);
  addWhyCommand(program, asking);
  addEventCommands(program, asking);
  addSystemCommands(program, asking);
  addCompletionCommands(program, surroundings);
}
