/** Statistics, limits, kills when memory runs out, and freezing. */
package io.loomshim.integration.cgroup;
