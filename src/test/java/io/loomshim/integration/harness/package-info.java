/**
 * What the tests against real parts share: a containerd of their own, shims and bundles as containerd makes them,
 * clients of the task service, a look at processes and mounts, and the check that nothing is left. The other packages
 * use this one and not each other.
 */
package io.loomshim.integration.harness;
