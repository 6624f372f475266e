/** Mounts, root file systems and paths of clients, also into file systems that do not answer. */
package io.loomshim.integration.files;
