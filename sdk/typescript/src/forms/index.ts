// The wire forms (docs/formats), as tables that read and write them.

export * from './action.ts';
export * from './block.ts';
export * from './bundle.ts';
export * from './contract.ts';
export * from './crypto.ts';
export * from './digest.ts';
export * from './direct.ts';
export * from './entity.ts';
export * from './genesis.ts';
export * from './governance.ts';
export * from './limits.ts';
export * from './link.ts';
export * from './merkle.ts';
export * from './onboarding.ts';
export * from './pack.ts';
export * from './reader.ts';
export * from './reading.ts';
export * from './receipt.ts';
export * from './record.ts';
export * from './refusal.ts';
export * from './secrecy.ts';
export * from './service.ts';
export * from './state.ts';
export * from './transaction.ts';
export * from './tree.ts';
export * from './trigger.ts';
