import 'reflect-metadata';

/** What `.env.example` says of one variable, and how its text becomes a value. */
export interface EnvDeclaration {
  /** One or two sentences for operators. */
  description: string;
  example: string;
  /** Text used when the variable is absent or empty; absent: the property may stay undefined. */
  default?: string;
  /** The default in words, where it is computed. */
  defaultDescription?: string;
  /** Turns the text into the property's value; the text itself when absent. */
  parse?: (text: string) => unknown;
  /** What to do when validation fails. */
  fix: string;
}

export interface DeclaredVariable extends EnvDeclaration {
  name: string;
  property: string;
}

const DECLARATIONS = Symbol('hithe:env');

/** Declares that a property of the configuration class is read from the environment variable `name`. */
export function Env(name: string, declaration: EnvDeclaration): PropertyDecorator {
  return (target, property) => {
    const known = declarationsOf(target);
    Reflect.defineMetadata(DECLARATIONS, [...known, { ...declaration, name, property: String(property) }], target);
  };
}

/** The variables of a configuration class's prototype, in the order of their declaration. */
export function declarationsOf(prototype: object): DeclaredVariable[] {
  return (Reflect.getMetadata(DECLARATIONS, prototype) as DeclaredVariable[] | undefined) ?? [];
}
