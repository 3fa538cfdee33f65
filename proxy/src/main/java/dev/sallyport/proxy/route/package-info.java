/**
 * The decisions between a request head and a backend: certificate scope, redirect, choice by
 * weight.
 */
@NullMarked
package dev.sallyport.proxy.route;

import org.jspecify.annotations.NullMarked;
