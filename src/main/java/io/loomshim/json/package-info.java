/** JSON as plain Java values. Knows nothing of containers. */
package io.loomshim.json;
