/**
 * The gateway's own certificates, between what is translated and those who issue: wishes from
 * hosts, challenges into the snapshot, and what was issued back by the road of any Secret.
 */
@NullMarked
package dev.sallyport.control.acme;

import org.jspecify.annotations.NullMarked;
