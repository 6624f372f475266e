/**
 * What every room may say of a failure: that something had run out, and what the JDK's texts mean. Knows no other room.
 */
package io.loomshim.errors;
