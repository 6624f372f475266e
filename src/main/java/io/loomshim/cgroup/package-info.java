/** Control groups: which one a process is in and what the kernel says about it, v1 and v2. */
package io.loomshim.cgroup;
