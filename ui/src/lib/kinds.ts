// What a node writes by itself is in its logs, and no news to a person.
const machinery = new Set(['roll', 'keyring', 'epoch', 'receipt', 'audit']);

export const isNews = (r: { kind: string }) => !machinery.has(r.kind);
