import { type RawRuleOf, createMongoAbility } from '@casl/ability';
import { ACTIONS, type Action, type AppAbility, SUBJECT_NAMES, type SubjectName } from './ability.js';

export type AbilityRule = RawRuleOf<AppAbility>;
export type ConditionRecord = Readonly<Record<string, unknown>>;

/** One thing that a limited ability may still do: `action` on those rows of `subject` that fulfil the conditions. */
export interface Limit {
  action: Action;
  subject: SubjectName;
  conditions?: ConditionRecord;
}

/**
 * The rules of "what `rules` allow, as far as some limit covers it": allowed is exactly what both allow. Works rule by rule, so
 * that the result can be asked of the database like any other ability. `cannot` rules stay as they are, in their place.
 */
export function limitRules(rules: readonly AbilityRule[], limits: readonly Limit[]): AbilityRule[] {
  return rules.flatMap((rule) => (rule.inverted === true ? [rule] : pairsOf(rule).flatMap((pair) => limitedTo(rule, pair, limits))));
}

/** `limitRules` of an ability. */
export function limitAbility(ability: AppAbility, limits: readonly Limit[]): AppAbility {
  return createMongoAbility<AppAbility>(limitRules(ability.rules, limits));
}

interface Pair {
  action: Action;
  subject: SubjectName;
}

/** What a rule speaks of, one by one; CASL's `manage` is every action, `all` every subject. */
function pairsOf(rule: AbilityRule): Pair[] {
  const actions = [rule.action].flat().flatMap((action) => (action === 'manage' ? ACTIONS : [action]));
  const subjects = [rule.subject].flat().flatMap((subject) => (subject === 'all' ? SUBJECT_NAMES : [subject]));
  return [...new Set(actions)].flatMap((action) => [...new Set(subjects)].map((subject) => ({ action, subject })));
}

function limitedTo(rule: AbilityRule, pair: Pair, limits: readonly Limit[]): AbilityRule[] {
  // A rule on `manage` would allow every action again.
  if (pair.action === 'manage') return [];
  return limits
    .filter((limit) => limit.action === pair.action && limit.subject === pair.subject)
    .flatMap((limit) => {
      const conditions = bothOf(rule.conditions, limit.conditions);
      if (conditions === 'nothing') return [];
      return [{ ...pair, ...(conditions === undefined ? {} : { conditions }) }];
    });
}

/** The condition that holds where both hold; `nothing` when they exclude each other. */
function bothOf(a: ConditionRecord | undefined, b: ConditionRecord | undefined): ConditionRecord | undefined | 'nothing' {
  if (a === undefined || b === undefined) return a ?? b;
  const both: Record<string, unknown> = { ...a };
  for (const [attribute, wanted] of Object.entries(b)) {
    if (!(attribute in both)) {
      both[attribute] = wanted;
      continue;
    }
    const { except, values } = commonOf(valuesOf(attribute, both[attribute]), valuesOf(attribute, wanted));
    if (!except && values.length === 0) return 'nothing';
    both[attribute] = except ? { $nin: values } : values.length === 1 ? values[0] : { $in: values };
  }
  return both;
}

/** These values, or all but these. */
interface Values {
  except: boolean;
  values: readonly unknown[];
}

/** The values that fulfil a condition, which is one value, `$in` or `$nin`: nothing else is in the vocabulary. */
function valuesOf(attribute: string, wanted: unknown): Values {
  if (typeof wanted !== 'object' || wanted === null) return { except: false, values: [wanted] };
  const [[operator, values] = []] = Object.entries(wanted);
  const known = operator === '$in' || operator === '$nin';
  if (known && Object.keys(wanted).length === 1 && Array.isArray(values)) return { except: operator === '$nin', values };
  throw new TypeError(`A rule's condition on "${attribute}" cannot be limited: ${JSON.stringify(wanted)}`);
}

function commonOf(a: Values, b: Values): Values {
  if (a.except && b.except) return { except: true, values: [...new Set([...a.values, ...b.values])] };
  if (a.except) return commonOf(b, a);
  const others = new Set(b.values);
  return { except: false, values: a.values.filter((value) => others.has(value) !== b.except) };
}
