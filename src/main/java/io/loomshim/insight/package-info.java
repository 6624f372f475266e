/** What a daemon remembers about its own work: how long things took, and JFR events while somebody records. */
package io.loomshim.insight;
