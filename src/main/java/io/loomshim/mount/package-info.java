/**
 * Mounts: options in the words of fstab(5), overlays, mapped ids, loop devices, helper programs, and how all of it is
 * undone.
 */
package io.loomshim.mount;
