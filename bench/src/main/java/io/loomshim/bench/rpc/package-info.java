/** Clients of a shim: ttrpc without the code of the product, as lean as the measuring wants it. */
package io.loomshim.bench.rpc;
