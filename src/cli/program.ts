import { Command, Option } from 'commander';
import { colourWishes, formats, ids, names, settings, whole } from './options.ts';
import type { Terminal } from './terminal.ts';

/**
 * What a command does with its arguments and options: its exit code. The modules behind are loaded only when their command
 * is called, so that `--version` and a mistyped option answer at once.
 */
type Invoke = (terminal: Terminal, options: never, args: readonly string[]) => Promise<number>;
type Run = (name: string, load: () => Promise<Invoke>) => (this: Command) => Promise<void>;

/** The command line as commander knows it; docs/cli.md is written from the same definitions. */
export function program(version: string, run: Run): Command {
  const root = new Command('provision')
    .description('Keeps backup infrastructure in the state that a git repository describes.')
    .version(version, '--version', 'print the version')
    .option(
      '--inventory <dir>',
      'directory of the inventory; roles and templates are looked for beside it',
      'inventory',
    )
    .addOption(new Option('--color <when>', 'colours in text').choices(colourWishes).default('auto'))
    .option(
      '-v, --verbose',
      'also what is as wanted, whole diffs, steps, and the lines things come from',
      false,
    )
    .configureHelp({ showGlobalOptions: true })
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(`provision --help` shows all commands and options)')
    .addHelpText('after', exitCodeHelp)
    .exitOverride();

  const diff = command(root, 'diff', 'Show what differs on every host, changing nothing.');
  selection(diff, true).addOption(forks()).addOption(format());
  diff.option('--out <file>', 'save the plan, to be applied exactly with `apply --plan`');
  diff.action(run('diff', async () => (await import('./diff.ts')).diffCommand));

  const apply = command(
    root,
    'apply',
    'Make it so, prove it by reading again, then run the checks of the touched roles.',
  );
  selection(apply, true).addOption(forks()).addOption(format());
  apply.option('--yes', 'do not ask; needed when there is no terminal', false);
  apply.option('--plan <file>', 'apply this saved plan exactly, or refuse when a host has changed since');
  apply.option('--wait <seconds>', 'wait for another run on the same host to end', whole(0, 86_400), 0);
  apply.action(run('apply', async () => (await import('./apply.ts')).applyCommand));

  const check = command(root, 'check', 'Run the checks of the roles, changing nothing.');
  selection(check, true).addOption(forks()).addOption(format());
  check.action(run('check', async () => (await import('./check.ts')).checkCommand));

  const procedure = command(root, 'run', 'Run a procedure, each step guarded and verified.');
  procedure.argument('<procedure>', 'as `provision list procedures` names it');
  procedure.argument('[values...]', 'parameters that may be given without --set: `vzdump/unstick 1031`');
  procedure
    .addOption(hostOption('the host it starts from; may be left out when there is only one'))
    .addOption(format());
  procedure.option('--set <name=value>', 'a parameter of the procedure (repeatable)', settings, {});
  procedure.option('--dry-run', 'observe the guards and show the steps, changing nothing', false);
  procedure.option('--yes', 'do not ask; needed when there is no terminal', false);
  procedure.action(run('run', async () => (await import('./run.ts')).runCommand));

  const rules = command(
    root,
    'rules',
    'Judge the whole inventory by the rules of the site; ends with 1 when there is an error.',
  );
  rules.option('--rule <code>', 'only this rule (repeatable, or a,b)', names, []);
  rules.addOption(format(['text', 'json']));
  rules.action(run('rules', async () => (await import('./rules.ts')).rulesCommand));

  const list = command(root, 'list', 'List what the repository knows of, without contacting a host.');
  list.argument('[what]', 'hosts, groups, roles, resources, checks or procedures', 'hosts');
  selection(list, true).addOption(format(['text', 'json']));
  list.action(run('list', async () => (await import('./list.ts')).listCommand));

  const explain = command(
    root,
    'explain',
    'Print a value or a resource of a host and the line it comes from.',
  );
  explain.argument('<what>', 'ROLE.VARIABLE, ROLE, or the id of a resource');
  explain
    .addOption(hostOption('only on these hosts (repeatable, or a,b)'))
    .addOption(format(['text', 'json']));
  explain.action(run('explain', async () => (await import('./explain.ts')).explainCommand));

  const trust = command(root, 'trust', "Show a host's keys and pin them beside the inventory, after a yes.");
  trust.argument('<host>', 'a host of the inventory');
  trust.option(
    '--fingerprint <SHA256:...>',
    'pin the key with this fingerprint without asking; refuse any other',
  );
  trust.action(run('trust', async () => (await import('./trust.ts')).trustCommand));

  const demo = command(
    root,
    'demo',
    'Play the main job on the example host, in a directory that is thrown away.',
  );
  demo.action(run('demo', async () => (await import('./demo.ts')).demoCommand));

  const secret = root.command('secret').description('Encrypt values of the inventory with age.');
  const keygen = command(
    secret,
    'keygen',
    'Make a key pair: the identity stays on this machine, the recipient is for the inventory.',
  );
  keygen.option(
    '--out <file>',
    'where the identity goes (default: provision/age.key in your configuration); never over a file that is there',
  );
  keygen.action(run('secret keygen', async () => (await import('./secret.ts')).keygenCommand));
  const set = command(
    secret,
    'set',
    'Encrypt a value, typed unseen or read from standard input, into secrets.yaml.',
  );
  set.argument('<name>', 'the name of the secret');
  set.action(run('secret set', async () => (await import('./secret.ts')).setCommand));
  const edit = command(
    secret,
    'edit',
    'Open the value of a secret in $VISUAL or $EDITOR and encrypt it again.',
  );
  edit.argument('<name>', 'the name of the secret');
  edit.action(run('secret edit', async () => (await import('./secret.ts')).editCommand));

  return root;
}

const exitCodeHelp = `
Exit codes: 0 as wanted, 1 bad input or usage, 2 differences (diff), 3 unreachable, 4 a change or check failed,
5 refused for safety, 6 changed since plan, 7 locked, 8 unknown (could not look), 130 interrupted.`;

function command(parent: Command, name: string, about: string): Command {
  return parent.command(name).description(about).allowExcessArguments(false);
}

function selection(to: Command, withIds: boolean): Command {
  to.addOption(hostOption('only these hosts (repeatable, or a,b)'));
  to.option('--group <name>', 'hosts of these groups; adds to --host', names, []);
  to.option('--role <name>', 'only what these roles say', names, []);
  if (withIds)
    to.option('--only <id>', 'only this id, as in file:/etc/hosts; a prefix selects all below it', ids, []);
  return to;
}

function hostOption(about: string): Option {
  return new Option('--host <name>', about).argParser(names).default([]);
}

function forks(): Option {
  return new Option('--forks <n>', 'hosts at once').argParser(whole(1, 1000)).default(10);
}

function format(choices: readonly string[] = formats): Option {
  return new Option('--format <format>', 'how the report is written').choices(choices).default('text');
}
