// Proof bundles of every kind with a byte changed.

import { testChanges } from './bundles.ts';

testChanges(1);
